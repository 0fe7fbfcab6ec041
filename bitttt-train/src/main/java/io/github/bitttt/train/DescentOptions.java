package io.github.bitttt.train;

import java.io.Serializable;

/**
 * How gradients become steps.
 *
 * @param peakRate    learning rate after warm-up
 * @param warmup      share of the budget during which the rate rises, in [0, 1)
 * @param floor       the last learning rate over the peak, in [0, 1]
 * @param weightDecay AdamW's decay, on matrices only
 * @param clip        largest global gradient norm; a larger gradient is scaled down to it
 * @param dropout     share of what the embedding and each layer give that a step leaves out at random, in [0, 1)
 * @param average     decay of the running mean of the masters that is measured and saved as the model, in [0, 1); 0 saves the
 *                    masters themselves
 */
public record DescentOptions(double peakRate, double warmup, double floor, double weightDecay, double clip,
        double dropout, double average) implements Serializable {
    /** The learning rate unless somebody says otherwise. */
    public static final double PEAK_RATE = 0.003;
    /** The weight decay unless somebody says otherwise. */
    public static final double WEIGHT_DECAY = 0.1;

    /** The defaults. */
    public static final DescentOptions DEFAULT = new DescentOptions(PEAK_RATE, 0.03, 0.05, WEIGHT_DECAY, 1, 0, 0);

    /** Checks every value. */
    public DescentOptions {
        Ranges.above("learning rate", peakRate, 0, 1);
        Ranges.below("warm-up", warmup, 0, 1);
        Ranges.share("floor", floor, 0, 1);
        Ranges.share("weight decay", weightDecay, 0, 1);
        Ranges.above("clip", clip, 0, Double.MAX_VALUE);
        Ranges.below("dropout", dropout, 0, 1);
        Ranges.below("average", average, 0, 1);
    }

    /** The same with another learning rate.
     *
     * @param peak after warm-up
     * @return new options */
    public DescentOptions withPeakRate(double peak) {
        return new DescentOptions(peak, warmup, floor, weightDecay, clip, dropout, average);
    }

    /** The same with another weight decay.
     *
     * @param decay on matrices
     * @return new options */
    public DescentOptions withWeightDecay(double decay) {
        return new DescentOptions(peakRate, warmup, floor, decay, clip, dropout, average);
    }

    /** The same with another dropout.
     *
     * @param share of what is left out of a step, in [0, 1)
     * @return new options */
    public DescentOptions withDropout(double share) {
        return new DescentOptions(peakRate, warmup, floor, weightDecay, clip, share, average);
    }

    /** The same with another running mean of the masters.
     *
     * @param decay of each step, such as 0.999; 0 for none
     * @return new options */
    public DescentOptions withAverage(double decay) {
        return new DescentOptions(peakRate, warmup, floor, weightDecay, clip, dropout, decay);
    }

    /** The learning rate of a step: linear warm-up, then a cosine down to the floor.
     *
     * @param step  from 0
     * @param steps of the whole run
     * @return the rate */
    public double rate(long step, long steps) {
        double rising = Math.max(1, warmup * steps);
        if (step < rising) {
            return peakRate * Math.min(1, (step + 1) / rising);
        }
        double progress = Math.min(1, (step - rising) / Math.max(1, steps - rising));
        return peakRate * (floor + (1 - floor) * (1 + Math.cos(Math.PI * progress)) / 2);
    }
}
