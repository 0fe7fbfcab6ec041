package io.github.bitttt.spark;

import io.github.bitttt.train.TrainingOptions;

/**
 * How a model is trained on Spark.
 *
 * @param training        as in one process: its batch is that of all workers together, so the budget, the steps and the rates
 *                        are the same whatever the number of workers; without micro-batches, carried memories and a running
 *                        mean, which are of one process
 * @param workers         N, tasks that train at once, a divisor of the batch
 * @param mode            when the workers agree
 * @param localSteps      H, steps of each worker between two agreements; 1 if they agree on every gradient
 * @param outerRate       how far the agreed weights follow the workers' mean, for DiLoCo
 * @param outerMomentum   Nesterov momentum of the agreed weights, in [0, 1), for DiLoCo
 * @param inner           what the workers' AdamW knows when a round begins, for DiLoCo
 */
public record SparkTrainingOptions(TrainingOptions training, int workers, Mode mode, int localSteps, double outerRate,
        double outerMomentum, Inner inner) {

    private static final double OUTER_RATE = 0.7;
    private static final double OUTER_MOMENTUM = 0.9;

    /** When the workers agree. */
    public enum Mode {
        /** Gradients are averaged at every step: what one process would compute with the same batch. */
        SYNCHRONOUS,
        /** Each worker trains by itself for H steps, then the changes of the weights are averaged (arXiv:2311.08105). */
        DILOCO
    }

    /** What the workers' AdamW knows when a round begins. */
    public enum Inner {
        /** Nothing: moments begin at zero. No byte of optimizer state is sent or saved. */
        RESTART,
        /** The mean of what the workers knew when the last round ended: three times the bytes. */
        AVERAGE
    }

    /** Checks every value. */
    public SparkTrainingOptions {
        atLeastOne("workers", workers);
        atLeastOne("local steps", localSteps);
        if (training.windows().batch() % workers != 0) {
            throw new IllegalArgumentException(
                    "workers must divide the batch, which is that of all workers together: batch "
                            + training.windows().batch() + ", got " + workers);
        }
        only("micro-batches", training.windows().microBatch(), training.windows().batch(),
                "more workers divide the batch as well");
        only("carried windows", training.windows().carry(), 1, "every window begins with an empty memory");
        only("a running mean", training.descent().average(), 0, "the outer momentum of DiLoCo smooths as well");
        if (mode == Mode.SYNCHRONOUS && localSteps != 1) {
            throw new IllegalArgumentException("synchronous training agrees at every step: local steps must be 1, got "
                    + localSteps);
        }
        if (!(outerRate > 0 && outerRate <= 2)) {
            throw new IllegalArgumentException("outer rate must be in (0, 2], got " + outerRate);
        }
        if (!(outerMomentum >= 0 && outerMomentum < 1)) {
            throw new IllegalArgumentException("outer momentum must be in [0, 1), got " + outerMomentum);
        }
    }

    private static void atLeastOne(String name, int value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, got " + value);
        }
    }

    private static void only(String name, double value, double allowed, String instead) {
        if (value != allowed) {
            throw new IllegalArgumentException(
                    name + ": not on Spark, where it must be " + allowed + ", got " + value + "; "
                            + instead);
        }
    }

    /** Gradients averaged at every step.
     *
     * @param training as in one process
     * @param workers  N
     * @return options */
    public static SparkTrainingOptions synchronous(TrainingOptions training, int workers) {
        return new SparkTrainingOptions(training, workers, Mode.SYNCHRONOUS, 1, 1, 0, Inner.RESTART);
    }

    /** Few agreements.
     *
     * @param training   as in one process
     * @param workers    N
     * @param localSteps H
     * @return options */
    public static SparkTrainingOptions diLoCo(TrainingOptions training, int workers, int localSteps) {
        return new SparkTrainingOptions(training, workers, Mode.DILOCO, localSteps, OUTER_RATE, OUTER_MOMENTUM,
                Inner.RESTART);
    }

    /** The same with another way from the workers' mean to the agreed weights.
     *
     * @param rate     outer rate
     * @param momentum outer momentum
     * @return new options */
    public SparkTrainingOptions withOuter(double rate, double momentum) {
        return new SparkTrainingOptions(training, workers, mode, localSteps, rate, momentum, inner);
    }

    /** The same with another start of the workers' AdamW.
     *
     * @param start of each round
     * @return new options */
    public SparkTrainingOptions withInner(Inner start) {
        return new SparkTrainingOptions(training, workers, mode, localSteps, outerRate, outerMomentum, start);
    }

    /** B / N.
     *  @return windows of a worker's step */
    public int workerBatch() {
        return training.windows().batch() / workers;
    }

    /** Rounds of the whole run.
     *  @return steps / H, rounded up */
    public long rounds() {
        return Math.ceilDiv(training.steps(), (long) localSteps);
    }
}
