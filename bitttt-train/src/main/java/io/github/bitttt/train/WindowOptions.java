package io.github.bitttt.train;

import java.io.Serializable;

/**
 * Which windows of a text a step reads.
 *
 * @param batch      B, windows of a step
 * @param microBatch windows that go through the graph at once, a divisor of B; their gradients are summed
 * @param window     T, tokens of a window
 * @param carry      windows of a stream that follow one another in the text while its memory is carried on; then the memory is
 *                   emptied and the stream begins elsewhere; 1 begins every window with an empty memory
 * @param repeats    share of windows that hold one passage twice, so that a memory is worth using, in [0, 1]
 * @param orderSeed  of the order of windows
 */
public record WindowOptions(int batch, int microBatch, int window, int carry, double repeats, long orderSeed)
        implements
            Serializable {
    /** What B is unless somebody says otherwise. */
    public static final int BATCH = 16;
    /** What T is unless somebody says otherwise. */
    public static final int WINDOW = 256;
    /** The share of windows with a repeated passage unless somebody says otherwise. */
    public static final double REPEATS = 0.125;
    /** The most windows of a batch and of a stretch, and the most tokens of a window: sizes of arrays follow from them. */
    public static final int MOST = 1 << 20;

    /** The defaults, with a seed of the order of 1. */
    public static final WindowOptions DEFAULT = new WindowOptions(BATCH, BATCH, WINDOW, 1, REPEATS, 1);

    /** Checks every value. */
    public WindowOptions {
        Ranges.count("batch", batch, 1, MOST);
        Ranges.count("micro-batch", microBatch, 1, MOST);
        Ranges.count("window", window, 1, MOST);
        Ranges.count("carry", carry, 1, MOST);
        if (batch % microBatch != 0) {
            throw new IllegalArgumentException("micro-batch must divide the batch " + batch + ", got " + microBatch);
        }
        Ranges.share("repeats", repeats, 0, 1);
    }

    /** The same with another batch, which goes through the graph at once.
     *
     * @param windows B
     * @param tokens  T
     * @return new options */
    public WindowOptions withBatch(int windows, int tokens) {
        return new WindowOptions(windows, windows, tokens, carry, repeats, orderSeed);
    }

    /** The same batch in smaller pieces, which need less memory: their gradients are summed before the step.
     *
     * @param windows of a piece, a divisor of B
     * @return new options */
    public WindowOptions withMicroBatch(int windows) {
        return new WindowOptions(batch, windows, window, carry, repeats, orderSeed);
    }

    /** The same with memories that are carried from window to window.
     *
     * @param windows that follow one another before a stream's memory is emptied
     * @return new options */
    public WindowOptions withCarry(int windows) {
        return new WindowOptions(batch, microBatch, window, windows, repeats, orderSeed);
    }

    /** The same with another share of repeated passages.
     *
     * @param share in [0, 1]
     * @return new options */
    public WindowOptions withRepeats(double share) {
        return new WindowOptions(batch, microBatch, window, carry, share, orderSeed);
    }

    /** The same in another order.
     *
     * @param seed of the order
     * @return new options */
    public WindowOptions withOrderSeed(long seed) {
        return new WindowOptions(batch, microBatch, window, carry, repeats, seed);
    }

    /** Tokens of the windows over which a memory is carried. */
    long stretch() {
        return (long) window * carry;
    }
}
