package io.github.bitttt.spark;

import io.github.bitttt.train.DescentOptions;
import io.github.bitttt.train.RepeatedPassages;
import io.github.bitttt.train.TrainingOptions;
import io.github.bitttt.train.WindowOptions;
import java.io.Serializable;

/**
 * What a worker must know of a run, the same in every round.
 *
 * @param config  {@code config.json} of the model
 * @param workers N
 * @param windows of all workers together
 * @param descent of the workers' AdamW
 */
record Plan(String config, int workers, WindowOptions windows, DescentOptions descent) implements Serializable {
    static Plan of(String config, SparkTrainingOptions options) {
        TrainingOptions training = options.training();
        return new Plan(config, options.workers(), training.windows(), training.descent());
    }

    /** Windows of a worker's step. */
    int batch() {
        return windows.batch() / workers;
    }

    RepeatedPassages passages() {
        return new RepeatedPassages(windows.repeats(), windows.window(), windows.orderSeed());
    }

    /** The number that a worker's first window of a step has among those of all, as one process would count. */
    long first(int worker, long step) {
        return (step * workers + worker) * batch();
    }
}
