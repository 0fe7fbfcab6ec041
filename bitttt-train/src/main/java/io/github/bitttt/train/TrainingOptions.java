package io.github.bitttt.train;

/**
 * How a model is trained.
 *
 * @param tokens  the budget: training ends after this many tokens, rounded up to whole steps
 * @param seed    of first weights
 * @param windows which windows a step reads
 * @param descent how gradients become steps
 * @param run     when the run measures, saves and gives up
 */
public record TrainingOptions(long tokens, long seed, WindowOptions windows, DescentOptions descent, RunOptions run) {
    /** Checks the budget; the parts check themselves. */
    public TrainingOptions {
        Ranges.count("tokens", tokens, 1, Long.MAX_VALUE);
    }

    /** What served well for small models on TinyStories.
     *
     * @param tokens the budget
     * @return options */
    public static TrainingOptions of(long tokens) {
        return new TrainingOptions(tokens, 1, WindowOptions.DEFAULT, DescentOptions.DEFAULT, RunOptions.DEFAULT);
    }

    /** The same with other windows.
     *
     * @param changed which windows a step reads
     * @return new options */
    public TrainingOptions with(WindowOptions changed) {
        return new TrainingOptions(tokens, seed, changed, descent, run);
    }

    /** The same with another descent.
     *
     * @param changed how gradients become steps
     * @return new options */
    public TrainingOptions with(DescentOptions changed) {
        return new TrainingOptions(tokens, seed, windows, changed, run);
    }

    /** The same with another course.
     *
     * @param changed when the run measures, saves and gives up
     * @return new options */
    public TrainingOptions with(RunOptions changed) {
        return new TrainingOptions(tokens, seed, windows, descent, changed);
    }

    /** The same with another seed of first weights and of the order of windows.
     *
     * @param number any
     * @return new options */
    public TrainingOptions withSeed(long number) {
        return new TrainingOptions(tokens, number, windows.withOrderSeed(number), descent, run);
    }

    /** The same with another batch, which goes through the graph at once.
     *
     * @param windows B
     * @param tokens  T
     * @return new options */
    public TrainingOptions withBatch(int windows, int tokens) {
        return with(this.windows.withBatch(windows, tokens));
    }

    /** See {@link WindowOptions#withMicroBatch}.
     *
     * @param windows of a piece, a divisor of B
     * @return new options */
    public TrainingOptions withMicroBatch(int windows) {
        return with(this.windows.withMicroBatch(windows));
    }

    /** See {@link WindowOptions#withCarry}.
     *
     * @param windows that follow one another before a stream's memory is emptied
     * @return new options */
    public TrainingOptions withCarry(int windows) {
        return with(this.windows.withCarry(windows));
    }

    /** See {@link WindowOptions#withRepeats}.
     *
     * @param share in [0, 1]
     * @return new options */
    public TrainingOptions withRepeats(double share) {
        return with(this.windows.withRepeats(share));
    }

    /** See {@link WindowOptions#withOrderSeed}; first weights stay the same.
     *
     * @param number any
     * @return new options */
    public TrainingOptions withOrderSeed(long number) {
        return with(this.windows.withOrderSeed(number));
    }

    /** See {@link DescentOptions#withPeakRate}.
     *
     * @param peak after warm-up
     * @return new options */
    public TrainingOptions withPeakRate(double peak) {
        return with(this.descent.withPeakRate(peak));
    }

    /** See {@link DescentOptions#withWeightDecay}.
     *
     * @param decay on matrices
     * @return new options */
    public TrainingOptions withWeightDecay(double decay) {
        return with(this.descent.withWeightDecay(decay));
    }

    /** See {@link DescentOptions#withDropout}.
     *
     * @param share in [0, 1)
     * @return new options */
    public TrainingOptions withDropout(double share) {
        return with(this.descent.withDropout(share));
    }

    /** See {@link DescentOptions#withAverage}.
     *
     * @param decay of each step; 0 for none
     * @return new options */
    public TrainingOptions withAverage(double decay) {
        return with(this.descent.withAverage(decay));
    }

    /** See {@link RunOptions#withIntervals}.
     *
     * @param validation steps between validations
     * @param checkpoint steps between checkpoints
     * @return new options */
    public TrainingOptions withIntervals(int validation, int checkpoint) {
        return with(this.run.withIntervals(validation, checkpoint));
    }

    /** See {@link RunOptions#withPatience}.
     *
     * @param validations without a new best; 0 for never
     * @return new options */
    public TrainingOptions withPatience(int validations) {
        return with(this.run.withPatience(validations));
    }

    /** See {@link RunOptions#withLabel}.
     *
     * @param name of the run
     * @return new options */
    public TrainingOptions withLabel(String name) {
        return with(this.run.withLabel(name));
    }

    /** Tokens of one step.
     *  @return B T */
    public long tokensPerStep() {
        return (long) windows.batch() * windows.window();
    }

    /** Steps of the whole run.
     *  @return the budget in whole steps, rounded up */
    public long steps() {
        return Math.ceilDiv(tokens, tokensPerStep());
    }

    /** The learning rate of a step.
     *
     * @param step from 0
     * @return the rate */
    public double rate(long step) {
        return descent.rate(step, steps());
    }
}
