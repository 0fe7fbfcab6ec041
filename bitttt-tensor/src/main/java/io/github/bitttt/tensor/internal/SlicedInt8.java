package io.github.bitttt.tensor.internal;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Many int8 rows, a head's for instance, in slices for several cores. Naive twin: {@code FloatKernels.int8Weights}; a row's sum is
 * the same whichever thread makes it.
 */
public final class SlicedInt8 implements FloatKernels.Int8Weights {
    private static final int LARGE = 1 << 21; // bytes, past a second cache
    private static final int GRAIN = 128; // rows: whole blocks of every kernel

    private final FloatKernels.Int8Weights[] slices;
    private final int[] firstRows;
    private final AtomicReference<Job> spare = new AtomicReference<>();

    private SlicedInt8(FloatKernels family, Kernels.Codes codes, int rows, int columns) {
        firstRows = RowJob.firstRows(rows, GRAIN);
        slices = new FloatKernels.Int8Weights[firstRows.length - 1];
        Arrays.setAll(slices, i -> family.largeInt8Weights(codes.from(firstRows[i]), firstRows[i + 1] - firstRows[i],
                columns));
    }

    /** The weights of a matrix: in slices if it is large and there is more than one core.
     *
     * @param family  lays them out
     * @param codes   read row after row during this call only
     * @param rows    at least 1
     * @param columns at least 1
     * @return immutable weights */
    public static FloatKernels.Int8Weights of(FloatKernels family, Kernels.Codes codes, int rows, int columns) {
        if ((long) rows * columns < LARGE) {
            return family.int8Weights(codes, rows, columns);
        }
        return Helper.count() > 0 && rows > GRAIN
                ? new SlicedInt8(family, codes, rows, columns)
                : family.largeInt8Weights(codes, rows, columns);
    }

    @Override
    public void read(int row, byte[] to, int offset) {
        int slice = row / firstRows[1];
        slices[slice].read(row - firstRows[slice], to, offset);
    }

    @Override
    public void row(int row, float scale, float[] y, int yOffset) {
        int slice = row / firstRows[1];
        slices[slice].row(row - firstRows[slice], scale, y, yOffset);
    }

    @Override
    public void products(float[] x, int xOffset, float[] y, int yOffset) {
        run(x, xOffset, xOffset, 1, y, yOffset, 0);
    }

    @Override
    public void productsOfTwo(float[] x, int first, int second, float[] y, int yFirst, int ySecond) {
        run(x, first, second, 2, y, yFirst, ySecond - yFirst);
    }

    private void run(float[] x, int first, int second, int n, float[] y, int yOffset, int yStride) {
        Job job = spare.getAndSet(null);
        if (job == null || !job.isReady(slices.length)) {
            job = new Job();
        }
        job.x = x;
        job.first = first;
        job.second = second;
        job.n = n;
        job.run(firstRows, n, y, yOffset, yStride);
        spare.set(job);
    }

    private final class Job extends RowJob {
        private float[] x;
        private int first;
        private int second;
        private int n;

        Job() {
            super(slices.length);
        }

        @Override
        void slice(int slice, int worker, float[] y, int yOffset, int yStride) {
            int at = yOffset + firstRows[slice];
            if (n == 1) {
                slices[slice].products(x, first, y, at);
            } else {
                slices[slice].productsOfTwo(x, first, second, y, at, at + yStride);
            }
        }
    }
}
