package io.github.bitttt.spark;

import io.github.bitttt.train.RepeatedPassages;
import io.github.bitttt.train.TrainingOptions;
import java.io.Serializable;

/**
 * What a worker must know of a run, the same in every round.
 *
 * @param config      {@code config.json} of the model
 * @param workers     N
 * @param batch       windows of a worker's step
 * @param window      T
 * @param weightDecay of the workers' AdamW
 * @param clip        of the workers' AdamW
 * @param dropout     share of what a step leaves out
 * @param repeats     share of windows with a repeated passage
 * @param seed        of the order of windows
 */
record Plan(String config, int workers, int batch, int window, double weightDecay, double clip, double dropout,
        double repeats, long seed) implements Serializable {

    static Plan of(String config, SparkTrainingOptions options) {
        TrainingOptions training = options.training();
        return new Plan(config, options.workers(), options.workerBatch(), training.window(), training.weightDecay(),
                training.clip(), training.dropout(), training.repeats(), training.orderSeed());
    }

    RepeatedPassages passages() {
        return new RepeatedPassages(repeats, window, seed);
    }
}
