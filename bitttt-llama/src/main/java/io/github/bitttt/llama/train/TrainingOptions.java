package io.github.bitttt.llama.train;

/**
 * How a model is trained.
 *
 * @param tokens          the budget: training ends after this many tokens, rounded up to whole steps
 * @param batch           B, windows of a step
 * @param window          T, tokens of a window
 * @param peakRate        learning rate after warm-up
 * @param warmup          share of the budget during which the rate rises, in [0, 1)
 * @param floor           the last learning rate over the peak, in [0, 1]
 * @param weightDecay     AdamW's decay, on matrices only
 * @param clip            largest global gradient norm; a larger gradient is scaled down to it
 * @param repeats         share of windows that hold one passage twice, so that a memory is worth using, in [0, 1]
 * @param seed            of first weights and of the order of windows
 * @param validationEvery steps between validations
 * @param checkpointEvery steps between checkpoints
 */
public record TrainingOptions(long tokens, int batch, int window, double peakRate, double warmup, double floor,
        double weightDecay, double clip, double repeats, long seed, int validationEvery, int checkpointEvery) {

    /** Checks every value. */
    public TrainingOptions {
        atLeastOne("tokens", tokens);
        atLeastOne("batch", batch);
        atLeastOne("window", window);
        atLeastOne("validation every", validationEvery);
        atLeastOne("checkpoint every", checkpointEvery);
        inRange("learning rate", peakRate, Double.MIN_VALUE, 1);
        inRange("warm-up", warmup, 0, Math.nextDown(1.0));
        inRange("floor", floor, 0, 1);
        inRange("weight decay", weightDecay, 0, 1);
        inRange("clip", clip, Double.MIN_VALUE, Double.MAX_VALUE);
        inRange("repeats", repeats, 0, 1);
    }

    private static void atLeastOne(String name, long value) {
        if (value < 1) {
            throw new IllegalArgumentException(name + " must be at least 1, got " + value);
        }
    }

    private static void inRange(String name, double value, double from, double to) {
        if (!(value >= from && value <= to)) {
            throw new IllegalArgumentException(name + " must be in [" + from + ", " + to + "], got " + value);
        }
    }

    /** What served well for small models on TinyStories: batch 16 x 256, rate 3e-3, 1/8 repeats.
     *
     * @param tokens the budget
     * @return options */
    public static TrainingOptions of(long tokens) {
        return new TrainingOptions(tokens, 16, 256, 3e-3, 0.03, 0.05, 0.1, 1, 0.125, 1, 100, 100);
    }

    /** The same with another batch.
     *
     * @param windows       B
     * @param windowTokens T
     * @return new options */
    public TrainingOptions withBatch(int windows, int windowTokens) {
        return new TrainingOptions(tokens, windows, windowTokens, peakRate, warmup, floor, weightDecay, clip, repeats,
                seed,
                validationEvery, checkpointEvery);
    }

    /** The same with another learning rate.
     *
     * @param peak after warm-up
     * @return new options */
    public TrainingOptions withPeakRate(double peak) {
        return new TrainingOptions(tokens, batch, window, peak, warmup, floor, weightDecay, clip, repeats, seed,
                validationEvery, checkpointEvery);
    }

    /** The same with another seed.
     *
     * @param number any
     * @return new options */
    public TrainingOptions withSeed(long number) {
        return new TrainingOptions(tokens, batch, window, peakRate, warmup, floor, weightDecay, clip, repeats, number,
                validationEvery, checkpointEvery);
    }

    /** The same with another share of repeated passages.
     *
     * @param share in [0, 1]
     * @return new options */
    public TrainingOptions withRepeats(double share) {
        return new TrainingOptions(tokens, batch, window, peakRate, warmup, floor, weightDecay, clip, share, seed,
                validationEvery, checkpointEvery);
    }

    /** The same with other intervals.
     *
     * @param validation steps between validations
     * @param checkpoint steps between checkpoints
     * @return new options */
    public TrainingOptions withIntervals(int validation, int checkpoint) {
        return new TrainingOptions(tokens, batch, window, peakRate, warmup, floor, weightDecay, clip, repeats, seed,
                validation, checkpoint);
    }

    /** The same with another weight decay.
     *
     * @param decay on matrices
     * @return new options */
    public TrainingOptions withWeightDecay(double decay) {
        return new TrainingOptions(tokens, batch, window, peakRate, warmup, floor, decay, clip, repeats, seed,
                validationEvery, checkpointEvery);
    }

    /** Tokens of one step.
     *  @return B T */
    public long tokensPerStep() {
        return (long) batch * window;
    }

    /** Steps of the whole run.
     *  @return the budget in whole steps, rounded up */
    public long steps() {
        return Math.ceilDiv(tokens, tokensPerStep());
    }

    /** The learning rate of a step: linear warm-up, then a cosine down to the floor.
     *
     * @param step from 0
     * @return the rate */
    public double rate(long step) {
        double rising = Math.max(1, warmup * steps());
        if (step < rising) {
            return peakRate * Math.min(1, (step + 1) / rising);
        }
        double progress = Math.min(1, (step - rising) / Math.max(1, steps() - rising));
        return peakRate * (floor + (1 - floor) * (1 + Math.cos(Math.PI * progress)) / 2);
    }
}
