package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import io.github.bitttt.tensor.internal.GroupScales;
import io.github.bitttt.tensor.internal.Int8Input;
import io.github.bitttt.tensor.internal.Kernels;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;

/**
 * The vector kernels from the moment on that the JVM has compiled them; before that, {@link ScalarKernels}, whose results are
 * the same to the bit.
 *
 * <p>Vector code that is not compiled yet takes 0.7 s for a first token of a small model, and the scalar loops 0.04 s. A
 * daemon thread runs the vector kernels on numbers of its own until they are fast, a second or so, and then ends.
 */
public final class WarmingKernels implements Kernels {
    private static final int WIDTH = 256;
    private static final int MEMORY = 96; // vectors of 512 bits by fours and by twos
    private static final int ROUNDS = 6000; // the JVM compiles for good what was called 5,000 times
    private static final Duration LONGEST = Duration.ofSeconds(5);

    private final Kernels hot;
    private final Kernels cold = new ScalarKernels();
    private final FloatKernels coldFloats = new ColdFloats();
    private final Thread warmUp;
    private volatile boolean warm;

    /** Begins to warm up.
     *
     * @param kernel of ternary products, lut16, lut256 or lut128; if empty, the usual one of this machine
     * @throws IllegalStateException if this machine's vectors are too narrow */
    public WarmingKernels(String kernel) {
        hot = new VectorKernels(VectorKernels.Layout.of(kernel));
        warmUp = Thread.ofPlatform().daemon().name("bitttt-warm-up").start(this::warmUp);
    }

    private Kernels now() {
        return warm ? hot : cold;
    }

    /** The vector kernels themselves, with each of the kernels of ternary products that this machine has.
     *  @return the usual one first */
    public static List<Kernels> families() {
        return VectorKernels.Layout.available().stream().map(layout -> (Kernels) new VectorKernels(layout)).toList();
    }

    /** Their scalar twin.
     *  @return the same at any time */
    public Kernels cold() {
        return cold;
    }

    @Override
    public String name() {
        return hot.name();
    }

    @Override
    public String reason() {
        return hot.reason();
    }

    @Override
    public void awaitReady() throws InterruptedException {
        warmUp.join();
    }

    @Override
    public Weights weights(Codes codes, int rows, int columns) {
        return warm
                ? hot.weights(codes, rows, columns)
                : new WarmingWeights(cold.weights(codes, rows, columns), false,
                        old -> hot.weights(old, rows, columns));
    }

    @Override
    public Weights largeWeights(Codes codes, int rows, int columns) {
        Weights vectors = hot.weights(codes, rows, columns);
        return warm ? vectors : new WarmingWeights(vectors, true, _ -> vectors);
    }

    @Override
    public Weights groupedWeights(Codes codes, int rows, boolean large, GroupScales scales) {
        if (large || warm) {
            Weights vectors = hot.groupedWeights(codes, rows, large, scales);
            return warm ? vectors : new WarmingWeights(vectors, true, _ -> vectors);
        }
        return new WarmingWeights(cold.groupedWeights(codes, rows, false, scales), false,
                old -> hot.groupedWeights(old, rows, false, scales));
    }

    private void awaitVectors() {
        boolean interrupted = false;
        while (!warm && warmUp.isAlive()) {
            try {
                warmUp.join();
            } catch (InterruptedException _) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Scalar at first; brought into the vector kernels' layout when they are ready. What is large is laid out once, for vectors,
     * and its first product waits for them: it would take longer without. */
    private final class WarmingWeights implements Weights {
        private final Function<Codes, Weights> layout; // for vectors
        private volatile Weights weights;
        private volatile boolean vectors;

        WarmingWeights(Weights first, boolean vectors, Function<Codes, Weights> layout) {
            this.layout = layout;
            this.vectors = vectors;
            weights = first;
        }

        private Weights now() {
            if (warm != vectors) {
                layOut();
            }
            return weights;
        }

        private synchronized void layOut() {
            if (vectors) {
                awaitVectors();
            } else {
                weights = layout.apply(weights);
                vectors = true;
            }
        }

        @Override
        public long bytes() {
            return weights.bytes();
        }

        @Override
        public void read(int row, byte[] to, int offset) {
            weights.read(row, to, offset);
        }

        @Override
        public void prepare(Int8Input x) {
            now().prepare(x);
        }

        @Override
        public String kernel() {
            return now().kernel();
        }

        @Override
        public void products(Int8Input x, int first, int n, float scale, float[] y, int yOffset, int yStride) {
            now().products(x, first, n, scale, y, yOffset, yStride);
        }
    }

    @Override
    public float round(float[] x, int xOffset, int columns, byte[] codes, int codesOffset) {
        return now().round(x, xOffset, columns, codes, codesOffset);
    }

    @Override
    public float roundAway(float[] x, int xOffset, int columns, byte[] codes, int codesOffset) {
        return now().roundAway(x, xOffset, columns, codes, codesOffset);
    }

    @Override
    public FloatKernels floats() {
        return warm ? hot.floats() : coldFloats;
    }

    private final class ColdFloats extends ScalarFloats {
        @Override
        public Int8Weights int8Weights(Codes codes, int rows, int columns) {
            return new WarmingInt8(super.int8Weights(codes, rows, columns), false, rows, columns);
        }

        @Override
        public Int8Weights largeInt8Weights(Codes codes, int rows, int columns) {
            Int8Weights vectors = hot.floats().int8Weights(codes, rows, columns);
            return warm ? vectors : new WarmingInt8(vectors, true, rows, columns);
        }

        @Override
        public DeltaWeights deltaWeights(int heads, int rows, int columns) {
            return new WarmingDelta(super.deltaWeights(heads, rows, columns), heads, rows, columns);
        }
    }

    /** Int8 rows, as {@link WarmingWeights}. */
    private final class WarmingInt8 implements FloatKernels.Int8Weights {
        private final int rows;
        private final int columns;
        private volatile FloatKernels.Int8Weights weights;
        private volatile boolean vectors;

        WarmingInt8(FloatKernels.Int8Weights first, boolean vectors, int rows, int columns) {
            this.weights = first;
            this.vectors = vectors;
            this.rows = rows;
            this.columns = columns;
        }

        private synchronized void layOut() {
            if (vectors) {
                awaitVectors();
            } else {
                weights = hot.floats().int8Weights(weights, rows, columns);
                vectors = true;
            }
        }

        @Override
        public void row(int row, float scale, float[] y, int yOffset) {
            weights.row(row, scale, y, yOffset);
        }

        @Override
        public void products(float[] x, int xOffset, float[] y, int yOffset) {
            if (warm != vectors) {
                layOut();
            }
            weights.products(x, xOffset, y, yOffset);
        }

        @Override
        public void productsOfTwo(float[] x, int first, int second, float[] y, int yFirst, int ySecond) {
            if (warm != vectors) {
                layOut();
            }
            weights.productsOfTwo(x, first, second, y, yFirst, ySecond);
        }

        @Override
        public void read(int row, byte[] to, int offset) {
            weights.read(row, to, offset);
        }
    }

    /** Scalar at first; goes on in the vector kernels' layout from the first step that finds them ready. */
    private final class WarmingDelta implements FloatKernels.DeltaWeights {
        private final int heads;
        private final int rows;
        private final int columns;
        private FloatKernels.DeltaWeights weights;
        private boolean vectors;

        WarmingDelta(FloatKernels.DeltaWeights scalars, int heads, int rows, int columns) {
            this.heads = heads;
            this.rows = rows;
            this.columns = columns;
            weights = scalars;
        }

        @Override
        public void step(int head, float[] keys, int keyOffset, float[] queries, int queryOffset, float[] values,
                int valueOffset, float rate, float decay, boolean after, float[] answer, int answerOffset) {
            if (!vectors && warm) {
                float[] learned = new float[heads * rows * columns];
                weights.copyTo(learned);
                weights = hot.floats().deltaWeights(heads, rows, columns);
                weights.set(learned);
                vectors = true;
            }
            weights.step(head, keys, keyOffset, queries, queryOffset, values, valueOffset, rate, decay, after, answer,
                    answerOffset);
        }

        @Override
        public void copyTo(float[] w) {
            weights.copyTo(w);
        }

        @Override
        public void set(float[] w) {
            weights.set(w);
        }

        @Override
        public void clear() {
            weights.clear();
        }
    }

    private void warmUp() {
        Exercise exercise = new Exercise();
        long end = System.nanoTime() + LONGEST.toNanos();
        for (int round = 0; round < ROUNDS && System.nanoTime() < end; round++) {
            exercise.run();
        }
        warm = true;
    }

    /** What a token does, on a small layer. */
    private final class Exercise implements Runnable {
        private final Weights weights = hot.weights(Codes.of(new byte[WIDTH * WIDTH], WIDTH), WIDTH, WIDTH);
        private final FloatKernels.Int8Weights head = hot.floats().int8Weights(
                Codes.of(new byte[MEMORY * WIDTH], WIDTH), MEMORY, WIDTH);
        private final Int8Input input = new Int8Input(WIDTH);
        private final float[] x = new float[WIDTH];
        private final float[] y = new float[WIDTH];
        private final float[] answer = new float[MEMORY];
        private final float[] block = new float[4 * FloatKernels.SIDE_BY_SIDE];
        private final FloatKernels.DeltaWeights memory = hot.floats().deltaWeights(1, MEMORY, MEMORY);

        Exercise() {
            for (int i = 0; i < WIDTH; i++) {
                x[i] = i % 7 - 3;
            }
        }

        @Override
        public void run() {
            FloatKernels floats = hot.floats();
            input.begin(1);
            hot.roundAway(x, 0, WIDTH, input.codes(), 0);
            input.scales()[0] = hot.round(x, 0, WIDTH, input.codes(), 0);
            weights.products(input, 0, 1, 1, y, 0, WIDTH);
            head.products(x, 0, y, 0);
            head.productsOfTwo(x, 0, 0, y, 0, 0);
            floats.rmsNorm(x, 0, x, 1e-5, y, 0, WIDTH);
            floats.siluMultiply(x, 0, x, 0, y, 0, WIDTH);
            floats.normalize(y, 0, MEMORY);
            floats.exp(x, 3, y, WIDTH);
            floats.log(y, y, WIDTH);
            floats.addScaled(0.5f, x, 0, y, 0, WIDTH);
            floats.besides(x, 0, block, 0, 2, 0.1f, y);
            floats.weightedRows(x, 3, block, 0, 64, 64, y, 0);
            memory.step(0, y, 0, y, 0, y, 0, 0.5f, 1, true, answer, 0);
        }
    }
}
