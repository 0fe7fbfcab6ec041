package io.github.bitttt.train;

import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;

/**
 * Which windows of a text each step reads: a function of the options and the step alone, so that every process that trains, here
 * or on a cluster, reads the same.
 *
 * <p>Stream s of a step is one of its B windows. A stream reads a stretch of n windows that follow one another (n is the options'
 * carry), then another stretch. Streams begin theirs at different steps, so that each step empties about as many memories as any
 * other. An epoch cuts the text into stretches at a phase of its own and shuffles them. A share of the stretches holds
 * {@linkplain RepeatedPassages passages twice}.
 *
 * <p>For one thread: it keeps the order of the epoch that was asked for last.
 */
public final class WindowOrder {
    private final long length;
    private final WindowOptions options;
    private final RepeatedPassages repeats;
    private final int perEpoch;
    private long epoch = -1;
    private long phase;
    private int[] order;

    /** The windows of a text.
     *
     * @param length  tokens of the text, more than a window, or than all the windows of a stretch
     * @param options batch, window, carry, repeats, order seed */
    public WindowOrder(long length, WindowOptions options) {
        long stretch = options.stretch();
        if (length <= stretch) {
            throw new IllegalArgumentException("a training text needs more than " + stretch + " tokens, "
                    + (options.carry() == 1 ? "one window" : "the windows over which a memory is carried") + ", got "
                    + length + "; give more text or a smaller window");
        }
        this.length = length;
        this.options = options;
        repeats = new RepeatedPassages(options.repeats(), options.window(), options.orderSeed());
        // One stretch less than fits, so that every phase below a stretch leaves as many.
        perEpoch = Math.toIntExact(Math.max(1, (length - 1) / stretch - 1));
    }

    /** How many windows of its stretch a stream has read before a step.
     *
     * @param options batch and carry
     * @param step    from 0
     * @param stream  from 0
     * @return 0 where a stretch begins */
    public static int position(WindowOptions options, long step, int stream) {
        return (int) (clock(options, step, stream) % options.carry());
    }

    /** The step on the stream's own clock: streams begin their stretches evenly spread over the steps of one. */
    private static long clock(WindowOptions options, long step, int stream) {
        return step + (long) stream * options.carry() / options.batch();
    }

    /** The windows of some streams of a step.
     *
     * @param text  of the length that this order is for
     * @param step  from 0
     * @param first stream
     * @param count of streams
     * @return their tokens */
    public TokenBatch batch(TrainingText text, long step, int first, int count) {
        Objects.checkFromIndexSize(first, count, options.batch());
        int window = options.window();
        TokenBatch batch = new TokenBatch(new int[count * window], new int[count * window], new float[count * window]);
        for (int stream = 0; stream < count; stream++) {
            read(text, step, first + stream, batch, stream * window);
        }
        return batch;
    }

    private void read(TrainingText text, long step, int stream, TokenBatch into, int offset) {
        long clock = clock(options, step, stream);
        long stretch = clock / options.carry() * options.batch() + stream;
        enter(stretch / perEpoch);
        long start = phase + order[(int) (stretch % perEpoch)] * options.stretch();
        IntUnaryOperator source = repeats.of(stretch);
        int before = (int) (clock % options.carry()) * options.window();
        int id = text.id(start + source.applyAsInt(before));
        for (int i = 0; i < options.window(); i++) {
            into.inputs()[offset + i] = id;
            long next = start + source.applyAsInt(before + i + 1);
            id = text.id(next);
            into.targets()[offset + i] = id;
            into.weights()[offset + i] = text.counts(next) ? 1 : 0;
        }
    }

    private void enter(long wanted) {
        if (wanted == epoch) {
            return;
        }
        epoch = wanted;
        SplittableRandom random = new SplittableRandom(options.orderSeed() * 0x9E3779B97F4A7C15L + epoch);
        phase = random.nextInt(Math.toIntExact(length - perEpoch * options.stretch()));
        order = new int[perEpoch];
        for (int i = 0; i < perEpoch; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
    }
}
