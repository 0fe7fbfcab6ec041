package io.github.bitttt.tensor.internal;

import java.util.Arrays;

/**
 * A large matrix in slices of rows, several for each core. Naive twin: {@code NaiveKernels.sums}; a row's sum is the same whichever
 * thread makes it.
 *
 * <p>A hand-over takes about a microsecond, and a matrix is only sliced where it takes ten times as long or more.
 */
public final class SlicedWeights implements Kernels.Weights {
    /** Weights past a second cache of 1 MB, at 16 bits for nine of them. */
    private static final int LARGE = 1 << 22;
    private static final int GRAIN = 128; // rows: whole blocks of every kernel

    private static final int GROUPED_GRAIN = 512; // rows: what is said once for each group and slice should not weigh

    private final Kernels.Weights[] slices;
    private final int[] firstRows;

    private SlicedWeights(int[] firstRows, Kernels.Weights[] slices) {
        this.firstRows = firstRows;
        this.slices = slices;
    }

    private SlicedWeights(Kernels family, Kernels.Codes codes, int rows, int columns) {
        this(RowJob.firstRows(rows, GRAIN), family, codes, columns);
    }

    private SlicedWeights(int[] firstRows, Kernels family, Kernels.Codes codes, int columns) {
        this(firstRows, new Kernels.Weights[firstRows.length - 1]);
        Arrays.setAll(slices,
                i -> family.largeWeights(codes.from(firstRows[i]), firstRows[i + 1] - firstRows[i], columns));
    }

    /** The weights of a matrix: in slices if it is large and there is more than one core.
     *
     * @param family  lays them out
     * @param codes   each -1, 0 or 1; read row after row during this call only
     * @param rows    at least 1
     * @param columns at least 1
     * @return immutable weights */
    public static Kernels.Weights of(Kernels family, Kernels.Codes codes, int rows, int columns) {
        if ((long) rows * columns < LARGE) {
            return family.weights(codes, rows, columns);
        }
        return Helper.count() > 0 && rows > GRAIN
                ? new SlicedWeights(family, codes, rows, columns)
                : family.largeWeights(codes, rows, columns);
    }

    /** The weights of a matrix with a scale for each group of inputs of a row: in slices as {@link #of}.
     *
     * @param family lays them out
     * @param codes  each -1, 0 or 1; read row after row during this call only
     * @param rows   at least 1
     * @param size   inputs of a group
     * @param scales [groups, rows], kept
     * @return immutable weights */
    public static Kernels.Weights ofGroups(Kernels family, Kernels.Codes codes, int rows, int size, float[] scales) {
        boolean large = (long) scales.length * size >= LARGE;
        if (!large || Helper.count() == 0) {
            return family.groupedWeights(codes, rows, large, new GroupScales(size, scales, rows, 0));
        }
        int[] firstRows = RowJob.firstRows(rows, GROUPED_GRAIN);
        Kernels.Weights[] slices = new Kernels.Weights[firstRows.length - 1];
        Arrays.setAll(slices,
                i -> family.groupedWeights(codes.from(firstRows[i]), firstRows[i + 1] - firstRows[i], true,
                        new GroupScales(size, scales, rows, firstRows[i])));
        return new SlicedWeights(firstRows, slices);
    }

    @Override
    public String kernel() {
        return slices[0].kernel();
    }

    @Override
    public long bytes() {
        return Arrays.stream(slices).mapToLong(Kernels.Weights::bytes).sum();
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
        Job job = x.job(slices.length);
        job.set(this, x, first, n, scale);
        job.run(firstRows, n, y, yOffset, yStride);
    }

    /** A product; belongs to an input and is used again. */
    static final class Job extends RowJob {
        private final Int8Input[] workers; // the same rows, with room of each one's own
        private SlicedWeights weights;
        private int first;
        private int n;
        private float scale;

        Job(int most, int columns) {
            super(most);
            workers = new Int8Input[Helper.count() + 1];
            Arrays.setAll(workers, i -> new Int8Input(columns));
        }

        private void set(SlicedWeights matrix, Int8Input x, int firstRow, int rows, float factor) {
            for (Int8Input worker : workers) {
                worker.share(x);
            }
            weights = matrix;
            first = firstRow;
            n = rows;
            scale = factor;
        }

        @Override
        void slice(int slice, int worker, float[] y, int yOffset, int yStride) {
            weights.slices[slice].products(workers[worker], first, n, scale, y, yOffset + weights.firstRows[slice],
                    yStride);
        }
    }
}
