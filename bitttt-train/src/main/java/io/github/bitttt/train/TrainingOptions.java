package io.github.bitttt.train;

import java.util.function.Consumer;

/**
 * How a model is trained.
 *
 * @param tokens          the budget: training ends after this many tokens, rounded up to whole steps
 * @param batch           B, windows of a step
 * @param microBatch      windows that go through the graph at once, a divisor of B; their gradients are summed
 * @param window          T, tokens of a window
 * @param carry           windows of a stream that follow one another in the text while its memory is carried on; then the
 *                        memory is emptied and the stream begins elsewhere; 1 begins every window with an empty memory
 * @param peakRate        learning rate after warm-up
 * @param warmup          share of the budget during which the rate rises, in [0, 1)
 * @param floor           the last learning rate over the peak, in [0, 1]
 * @param weightDecay     AdamW's decay, on matrices only
 * @param clip            largest global gradient norm; a larger gradient is scaled down to it
 * @param dropout         share of what the embedding and each layer give that a step leaves out at random, in [0, 1)
 * @param average         decay of the running mean of the masters that is measured and saved as the model, in [0, 1); 0 saves
 *                        the masters themselves
 * @param repeats         share of windows that hold one passage twice, so that a memory is worth using, in [0, 1]
 * @param seed            of first weights
 * @param orderSeed       of the order of windows
 * @param validationEvery steps between validations
 * @param checkpointEvery steps between checkpoints
 * @param patience        validations without a new best after which training stops early; 0 for never
 * @param label           what the run is called in its logs and its model's metadata
 */
public record TrainingOptions(long tokens, int batch, int microBatch, int window, int carry, double peakRate,
        double warmup, double floor, double weightDecay, double clip, double dropout, double average, double repeats,
        long seed, long orderSeed, int validationEvery, int checkpointEvery, int patience, String label) {

    /** Checks every value. */
    public TrainingOptions {
        atLeastOne("tokens", tokens);
        atLeastOne("batch", batch);
        atLeastOne("micro-batch", microBatch);
        atLeastOne("window", window);
        atLeastOne("carry", carry);
        atLeastOne("validation every", validationEvery);
        atLeastOne("checkpoint every", checkpointEvery);
        if (batch % microBatch != 0) {
            throw new IllegalArgumentException("micro-batch must divide the batch " + batch + ", got " + microBatch);
        }
        if (patience < 0) {
            throw new IllegalArgumentException("patience must be at least 0 validations, got " + patience);
        }
        inRange("learning rate", peakRate, Double.MIN_VALUE, 1);
        inRange("warm-up", warmup, 0, Math.nextDown(1.0));
        inRange("floor", floor, 0, 1);
        inRange("weight decay", weightDecay, 0, 1);
        inRange("clip", clip, Double.MIN_VALUE, Double.MAX_VALUE);
        inRange("dropout", dropout, 0, Math.nextDown(1.0));
        inRange("average", average, 0, Math.nextDown(1.0));
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
        return new TrainingOptions(tokens, 16, 16, 256, 1, 3e-3, 0.03, 0.05, 0.1, 1, 0, 0, 0.125, 1, 1, 100, 100, 0,
                "");
    }

    /** A copy on its way to other values. */
    private static final class Draft {
        private int batch;
        private int microBatch;
        private int window;
        private int carry;
        private double peakRate;
        private double weightDecay;
        private double dropout;
        private double average;
        private double repeats;
        private long seed;
        private long orderSeed;
        private int validationEvery;
        private int checkpointEvery;
        private int patience;
        private String label;
    }

    private TrainingOptions with(Consumer<Draft> change) {
        Draft draft = new Draft();
        draft.batch = batch;
        draft.microBatch = microBatch;
        draft.window = window;
        draft.carry = carry;
        draft.peakRate = peakRate;
        draft.weightDecay = weightDecay;
        draft.dropout = dropout;
        draft.average = average;
        draft.repeats = repeats;
        draft.seed = seed;
        draft.orderSeed = orderSeed;
        draft.validationEvery = validationEvery;
        draft.checkpointEvery = checkpointEvery;
        draft.patience = patience;
        draft.label = label;
        change.accept(draft);
        return new TrainingOptions(tokens, draft.batch, draft.microBatch, draft.window, draft.carry, draft.peakRate,
                warmup, floor, draft.weightDecay, clip, draft.dropout, draft.average, draft.repeats, draft.seed,
                draft.orderSeed, draft.validationEvery, draft.checkpointEvery, draft.patience, draft.label);
    }

    /** The same with another batch, which goes through the graph at once.
     *
     * @param windows      B
     * @param windowTokens T
     * @return new options */
    public TrainingOptions withBatch(int windows, int windowTokens) {
        return with(draft -> {
            draft.batch = windows;
            draft.microBatch = windows;
            draft.window = windowTokens;
        });
    }

    /** The same batch in smaller pieces, which need less memory: their gradients are summed before the step.
     *
     * @param windows of a piece, a divisor of B
     * @return new options */
    public TrainingOptions withMicroBatch(int windows) {
        return with(draft -> draft.microBatch = windows);
    }

    /** The same with memories that are carried from window to window.
     *
     * @param windows that follow one another before a stream's memory is emptied
     * @return new options */
    public TrainingOptions withCarry(int windows) {
        return with(draft -> draft.carry = windows);
    }

    /** The same with another learning rate.
     *
     * @param peak after warm-up
     * @return new options */
    public TrainingOptions withPeakRate(double peak) {
        return with(draft -> draft.peakRate = peak);
    }

    /** The same with another running mean of the masters.
     *
     * @param decay of each step, such as 0.999; 0 for none
     * @return new options */
    public TrainingOptions withAverage(double decay) {
        return with(draft -> draft.average = decay);
    }

    /** The same with another seed of first weights and of the order of windows.
     *
     * @param number any
     * @return new options */
    public TrainingOptions withSeed(long number) {
        return with(draft -> {
            draft.seed = number;
            draft.orderSeed = number;
        });
    }

    /** The same with another order of windows, from the same first weights.
     *
     * @param number any
     * @return new options */
    public TrainingOptions withOrderSeed(long number) {
        return with(draft -> draft.orderSeed = number);
    }

    /** The same with another share of repeated passages.
     *
     * @param share in [0, 1]
     * @return new options */
    public TrainingOptions withRepeats(double share) {
        return with(draft -> draft.repeats = share);
    }

    /** The same with other intervals.
     *
     * @param validation steps between validations
     * @param checkpoint steps between checkpoints
     * @return new options */
    public TrainingOptions withIntervals(int validation, int checkpoint) {
        return with(draft -> {
            draft.validationEvery = validation;
            draft.checkpointEvery = checkpoint;
        });
    }

    /** The same with an early stop.
     *
     * @param validations without a new best, after which training stops; 0 for never
     * @return new options */
    public TrainingOptions withPatience(int validations) {
        return with(draft -> draft.patience = validations);
    }

    /** The same with another weight decay.
     *
     * @param decay on matrices
     * @return new options */
    public TrainingOptions withWeightDecay(double decay) {
        return with(draft -> draft.weightDecay = decay);
    }

    /** The same with another dropout.
     *
     * @param share of what is left out of a step, in [0, 1)
     * @return new options */
    public TrainingOptions withDropout(double share) {
        return with(draft -> draft.dropout = share);
    }

    /** The same under another name.
     *
     * @param name of the run
     * @return new options */
    public TrainingOptions withLabel(String name) {
        return with(draft -> draft.label = name);
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
