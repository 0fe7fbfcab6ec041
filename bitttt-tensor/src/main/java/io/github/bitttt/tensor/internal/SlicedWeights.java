package io.github.bitttt.tensor.internal;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A large matrix in slices of rows, one for each core. Naive twin: {@code NaiveKernels.sums}; a row's sum is the same whichever
 * thread makes it.
 *
 * <p>The calling thread multiplies the first slice and offers the others to helpers that all matrices share. What no helper
 * has begun when it is done, it does itself: so two sessions on two cores, or a busy machine, are not slower than without
 * helpers. A hand-over takes about a microsecond, and a matrix is only sliced where it takes ten times as long or more.
 */
public final class SlicedWeights implements Kernels.Weights {
    /** Weights past a second cache of 1 MB, at 16 bits for nine of them. */
    private static final int LARGE = 1 << 22;
    private static final int GRAIN = 128; // rows: whole blocks of every kernel

    private static final Helper[] HELPERS = new Helper[Math.min(Runtime.getRuntime().availableProcessors(), 16) - 1];

    static {
        Arrays.setAll(HELPERS, i -> new Helper("bitttt-rows-" + (i + 1)));
    }

    private final Kernels.Weights[] slices;
    private final int[] firstRows;

    private SlicedWeights(Kernels family, Kernels.Codes codes, int rows, int columns, int count) {
        int each = Math.ceilDiv(Math.ceilDiv(rows, count), GRAIN) * GRAIN;
        slices = new Kernels.Weights[Math.ceilDiv(rows, each)];
        firstRows = new int[slices.length];
        for (int i = 0; i < slices.length; i++) {
            firstRows[i] = i * each;
            int to = Math.min(rows, firstRows[i] + each);
            slices[i] = family.weights(codes.from(firstRows[i]), to - firstRows[i], columns);
        }
    }

    /** The weights of a matrix: in slices if it is large and there is more than one core.
     *
     * @param family  lays them out
     * @param codes   each -1, 0 or 1; read row after row during this call only
     * @param rows    at least 1
     * @param columns at least 1
     * @return immutable weights */
    public static Kernels.Weights of(Kernels family, Kernels.Codes codes, int rows, int columns) {
        boolean sliced = HELPERS.length > 0 && (long) rows * columns >= LARGE && rows > GRAIN;
        return sliced
                ? new SlicedWeights(family, codes, rows, columns, HELPERS.length + 1)
                : family.weights(codes, rows, columns);
    }

    @Override
    public String kernel() {
        return slices[0].kernel();
    }

    @Override
    public void read(int row, byte[] to, int offset) {
        int slice = row / firstRows[1];
        slices[slice].read(row - firstRows[slice], to, offset);
    }

    @Override
    public void prepare(Int8Input x) {
        slices[0].prepare(x);
    }

    @Override
    public void products(Int8Input x, int first, int n, float scale, float[] y, int yOffset, int yStride) {
        prepare(x); // before others read it
        Job[] jobs = x.jobs(slices.length - 1);
        for (int i = 1; i < slices.length; i++) {
            Job job = jobs[i - 1];
            job.set(slices[i], x, first, n, scale, y, yOffset + firstRows[i], yStride);
            HELPERS[i - 1].offer(job);
        }
        slices[0].products(x, first, n, scale, y, yOffset, yStride);
        for (int i = 1; i < slices.length; i++) {
            jobs[i - 1].finish();
        }
    }

    /** One slice of one product; belongs to an input and is used again. */
    static final class Job {
        private static final int NEW = 0;
        private static final int BEGUN = 1;
        private static final int DONE = 2;

        private final AtomicInteger state = new AtomicInteger(DONE);
        private final Int8Input own; // the same rows, with room of its own
        private Kernels.Weights weights;
        private int first;
        private int n;
        private float scale;
        private float[] y;
        private int yOffset;
        private int yStride;
        private volatile Throwable failure;

        Job(Int8Input own) {
            this.own = own;
        }

        private void set(Kernels.Weights slice, Int8Input x, int firstRow, int rows, float factor, float[] outputs,
                int offset, int stride) {
            own.share(x);
            weights = slice;
            first = firstRow;
            n = rows;
            scale = factor;
            y = outputs;
            yOffset = offset;
            yStride = stride;
            state.set(NEW);
        }

        /** Does the work unless somebody else has begun. */
        private void run() {
            if (!state.compareAndSet(NEW, BEGUN)) {
                return;
            }
            try {
                weights.products(own, first, n, scale, y, yOffset, yStride);
            } catch (RuntimeException | Error e) {
                failure = e; // told to the thread that asked
            }
            state.set(DONE);
        }

        private void finish() {
            run();
            while (state.get() != DONE) {
                Thread.onSpinWait();
            }
            if (failure != null) {
                Throwable told = failure;
                failure = null;
                throw new IllegalStateException("a slice of rows failed: " + told.getMessage(), told);
            }
        }
    }

    /** A thread that looks for work for a while after the last and then sleeps. */
    private static final class Helper implements Runnable {
        private static final int PATIENCE = 2000; // looks, some tens of microseconds

        private final AtomicReference<Job> offered = new AtomicReference<>();
        private final String name;
        private volatile Thread thread;
        private volatile boolean asleep;

        Helper(String name) {
            this.name = name;
        }

        void offer(Job job) {
            // If another job waits here this one is left to its owner.
            offered.compareAndSet(null, job);
            if (thread == null) {
                start();
            } else if (asleep) {
                LockSupport.unpark(thread);
            }
        }

        private synchronized void start() {
            if (thread == null) {
                thread = Thread.ofPlatform().daemon().name(name).start(this);
            }
        }

        @Override
        public void run() {
            int idle = 0;
            while (true) {
                Job job = offered.getAndSet(null);
                if (job != null) {
                    job.run();
                    idle = 0;
                } else if (idle++ < PATIENCE) {
                    Thread.onSpinWait();
                } else {
                    asleep = true;
                    if (offered.get() == null) {
                        LockSupport.park(this);
                    }
                    asleep = false;
                    idle = 0;
                }
            }
        }
    }
}
