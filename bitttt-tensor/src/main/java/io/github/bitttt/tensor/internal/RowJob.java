package io.github.bitttt.tensor.internal;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * One product, in slices of rows that the calling thread and helper threads take one after another: the caller from the first,
 * helpers from the last.
 *
 * <p>The caller waits for nobody. What no helper has begun it does itself. What a helper has begun and not delivered, because its
 * core was given to another process, the caller does again, once it has waited as long as a slice takes it. A helper writes into
 * room of the job's own, which the caller copies from: one that comes back late has nothing of the caller's to write to. It may
 * still read what the job says, so such a job is left to it, and its owner makes another.
 *
 * <p>Where the other cores are taken a helper runs on the caller's own, and costs the caller the time in which it looks for more work.
 * So the caller reckons what its own fastest slice says that one thread would have taken, and asks helpers less and less often
 * while they do not pay ({@link Helper#report}).
 */
abstract class RowJob {
    private static final int SLICES_OF_A_CORE = 8;
    private static final int OWN = 0; // done by the caller, or nobody's
    private static final int FREE = 1;
    private static final int BEGUN = 2; // by a helper
    private static final int DELIVERED = 3; // by a helper
    private static final int FAILED = 4; // in a helper
    private static final int LATE = 5; // begun by a helper and taken over by the caller

    private final AtomicIntegerArray states;
    private int[] firstRows = {0};
    private float[] delivered = new float[0];

    /** A job of at most so many slices. */
    RowJob(int most) {
        states = new AtomicIntegerArray(most);
    }

    /** Where slices begin, and behind the last the number of rows: some for each core, each of whole blocks. */
    static int[] firstRows(int rows, int block) {
        int each = Math.ceilDiv(Math.ceilDiv(rows, SLICES_OF_A_CORE * (Helper.count() + 1)), block) * block;
        int[] firstRows = new int[Math.ceilDiv(rows, each) + 1];
        for (int i = 0; i < firstRows.length; i++) {
            firstRows[i] = Math.min(rows, i * each);
        }
        return firstRows;
    }

    /** If it can be run again, in so many slices: no helper is late with it. */
    final boolean isReady(int slices) {
        for (int slice = 0; slice < states.length(); slice++) {
            int state = states.get(slice);
            if (state == FREE || state == BEGUN || state == LATE) {
                return false;
            }
        }
        return states.length() >= slices;
    }

    /** Makes a slice's rows of the outputs.
     *
     * @param slice   from 0
     * @param worker  who does it, for each has a scratch of its own: a helper, or the number of helpers for the caller
     * @param y       outputs
     * @param yOffset of the first row of all slices
     * @param yStride from one row of outputs to the next */
    abstract void slice(int slice, int worker, float[] y, int yOffset, int yStride);

    /** Runs all slices; the outputs are complete when this returns.
     *
     * @param starts  of slices, see {@link #firstRows}
     * @param n       rows of outputs
     * @param y       outputs
     * @param yOffset of the first
     * @param yStride from one row of outputs to the next */
    final void run(int[] starts, int n, float[] y, int yOffset, int yStride) {
        int slices = starts.length - 1;
        if (!Helper.isWorthAsking()) {
            for (int slice = 0; slice < slices; slice++) {
                slice(slice, Helper.count(), y, yOffset, yStride);
            }
            return;
        }
        if (delivered.length < n * starts[slices]) {
            delivered = new float[Math.multiplyExact(n, starts[slices])];
        }
        firstRows = starts;
        for (int slice = 0; slice < slices; slice++) {
            states.set(slice, FREE);
        }
        Helper.offerAll(this);
        long start = System.nanoTime();
        long fastest = own(slices, start, y, yOffset, yStride);
        for (int slice = 0; slice < slices; slice++) {
            if (states.get(slice) != OWN) {
                collect(slice, n, fastest, y, yOffset, yStride);
            }
        }
        Helper.report(slices * fastest / (double) (System.nanoTime() - start));
    }

    /** Does what no helper begins meanwhile, and tells the time of the fastest slice. */
    private long own(int slices, long start, float[] y, int yOffset, int yStride) {
        long fastest = Long.MAX_VALUE;
        long last = start;
        for (int slice = 0; slice < slices; slice++) {
            if (states.compareAndSet(slice, FREE, OWN)) {
                slice(slice, Helper.count(), y, yOffset, yStride);
                long now = System.nanoTime();
                // The last slice may have fewer rows; it counts where it is the only one.
                if (slice < slices - 1 || slice == 0) {
                    fastest = Math.min(fastest, now - last);
                }
                last = now;
            }
        }
        return fastest == Long.MAX_VALUE ? 0 : fastest;
    }

    private void collect(int slice, int n, long patience, float[] y, int yOffset, int yStride) {
        long start = System.nanoTime();
        while (states.get(slice) == BEGUN) {
            if (System.nanoTime() - start > patience && states.compareAndSet(slice, BEGUN, LATE)) {
                slice(slice, Helper.count(), y, yOffset, yStride);
                return;
            }
            Thread.onSpinWait();
        }
        if (states.get(slice) == FAILED) {
            slice(slice, Helper.count(), y, yOffset, yStride); // fails in the thread that asked
            return;
        }
        int first = firstRows[slice];
        int length = firstRows[slice + 1] - first;
        int rows = firstRows[firstRows.length - 1];
        for (int t = 0; t < n; t++) {
            System.arraycopy(delivered, t * rows + first, y, yOffset + t * yStride + first, length);
        }
    }

    /** Does what nobody has begun, in a helper's thread. */
    final void help(int helper) {
        for (int slice = Math.min(firstRows.length - 1, states.length()) - 1; slice >= 0; slice--) {
            if (states.compareAndSet(slice, FREE, BEGUN)) {
                int end = DELIVERED;
                try {
                    slice(slice, helper, delivered, 0, firstRows[firstRows.length - 1]);
                } catch (RuntimeException | Error _) {
                    end = FAILED; // the caller will meet it
                }
                if (!states.compareAndSet(slice, BEGUN, end)) {
                    states.set(slice, OWN); // the caller has done it; the job can be run again
                    return;
                }
            }
        }
    }
}
