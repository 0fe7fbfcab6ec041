package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import io.github.bitttt.tensor.internal.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;

/**
 * The vector kernels from the moment on that the JVM has compiled them; before that, {@link ScalarKernels}, whose results are
 * the same to the bit.
 *
 * <p>Vector code that is not compiled yet takes 0.7 s for a first token of a small model, and the scalar loops 0.04 s. A
 * daemon thread runs the vector kernels on numbers of its own until they are fast, a second or so, and then ends.
 */
public final class WarmingKernels implements Kernels {
    private static final int WIDTH = 256;
    private static final int MEMORY = 64;
    private static final int ROUNDS = 6000; // the JVM compiles for good what was called 5,000 times
    private static final Duration LONGEST = Duration.ofSeconds(5);

    private final Kernels hot = new VectorKernels();
    private final Kernels cold = new ScalarKernels();
    private final FloatKernels coldFloats = new ColdFloats();
    private final Thread warmUp;
    private volatile boolean warm;

    /** Begins to warm up.
     *
     * @throws IllegalStateException if this machine's vectors are too narrow */
    public WarmingKernels() {
        warmUp = Thread.ofPlatform().daemon().name("bitttt-warm-up").start(this::warmUp);
    }

    private Kernels now() {
        return warm ? hot : cold;
    }

    /** The vector kernels.
     *  @return the same at any time */
    public Kernels hot() {
        return hot;
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
    public void awaitReady() throws InterruptedException {
        warmUp.join();
    }

    @Override
    public Weights weights(byte[] codes, int rows, int columns) {
        Weights vectors = hot.weights(codes, rows, columns);
        return warm ? vectors : new WarmingWeights(vectors, cold.weights(codes, rows, columns));
    }

    private final class WarmingWeights implements Weights {
        private final Weights vectors;
        private Weights scalars;

        WarmingWeights(Weights vectors, Weights scalars) {
            this.vectors = vectors;
            this.scalars = scalars;
        }

        @Override
        public String kernel() {
            return vectors.kernel();
        }

        @Override
        public void sums(Input x, int row, int[] y) {
            Weights slow = warm ? null : scalars;
            if (slow == null) {
                scalars = null; // gives the memory back
                vectors.sums(x, row, y);
            } else {
                slow.sums(x, row, y);
            }
        }

        @Override
        public int paddedRows() {
            return vectors.paddedRows();
        }
    }

    @Override
    public long tableBytes(int columns) {
        return hot.tableBytes(columns);
    }

    @Override
    public void buildTables(byte[] codes, int offset, int columns, MemorySegment tables, long at) {
        now().buildTables(codes, offset, columns, tables, at);
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
        public Int8Weights int8Weights(byte[] codes, int rows, int columns) {
            Int8Weights vectors = hot.floats().int8Weights(codes, rows, columns);
            Int8Weights scalars = super.int8Weights(codes, rows, columns);
            return (x, xOffset, y, yOffset) -> (warm ? vectors : scalars).products(x, xOffset, y, yOffset);
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
        private final Weights weights = hot.weights(new byte[WIDTH * WIDTH], WIDTH, WIDTH);
        private final FloatKernels.Int8Weights head = hot.floats().int8Weights(new byte[MEMORY * WIDTH], MEMORY, WIDTH);
        private final Input input;
        private final int[] sums = new int[weights.paddedRows()];
        private final float[] x = new float[WIDTH];
        private final float[] y = new float[WIDTH];
        private final float[] answer = new float[MEMORY];
        private final float[] memory = new float[MEMORY * MEMORY];

        Exercise() {
            long stride = hot.tableBytes(WIDTH);
            input = new Input(new byte[WIDTH + 64], WIDTH, Arena.ofAuto().allocate(stride, 64),
                    stride, new Scratch());
            for (int i = 0; i < WIDTH; i++) {
                x[i] = i % 7 - 3;
            }
        }

        @Override
        public void run() {
            FloatKernels floats = hot.floats();
            hot.roundAway(x, 0, WIDTH, input.codes(), 0);
            hot.round(x, 0, WIDTH, input.codes(), 0);
            hot.buildTables(input.codes(), 0, WIDTH, input.tables(), 0);
            weights.sums(input, 0, sums);
            head.products(x, 0, y, 0);
            floats.rmsNorm(x, 0, x, 1e-5, y, 0, WIDTH);
            floats.siluMultiply(x, 0, x, 0, y, 0, WIDTH);
            floats.normalize(y, 0, MEMORY);
            floats.deltaStep(memory, 0, MEMORY, y, 0, y, 0, 0.5f, 1, true, answer, 0);
        }
    }
}
