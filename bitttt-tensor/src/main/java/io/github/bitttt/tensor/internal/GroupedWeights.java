package io.github.bitttt.tensor.internal;

import java.util.Arrays;

/**
 * Ternary weights with a scale for each group of inputs of a row: y = 1 / s * sum over groups of scale * (sum of the group), in float,
 * from the first group to the last. Naive twin: {@code NaiveKernels.groupedSums}, equal to the bit.
 *
 * <p>The columns of a group are a matrix of their own in the family's layout. 128 inputs of at most 127 fit the kernels' narrow sums, so a
 * group's end costs one widening, one conversion and one multiplication a row.
 */
public final class GroupedWeights implements Kernels.Weights {
    private final Kernels.Weights[] groups;
    private final int size;
    private final float[] scales;
    private final int scalesStride;
    private final int firstRow;
    private final int rows;

    /** Some rows of a matrix.
     *
     * @param family       lays the groups out
     * @param codes        of these rows, read row after row during this call only
     * @param rows         at least 1
     * @param large        if the matrix is
     * @param of           their scales, kept */
    GroupedWeights(Kernels family, Kernels.Codes codes, int rows, boolean large, GroupScales of) {
        this.rows = rows;
        size = of.size();
        scales = of.scales();
        scalesStride = of.allRows();
        firstRow = of.firstRow();
        groups = new Kernels.Weights[scales.length / scalesStride];
        int columns = groups.length * size;
        byte[] all = codes.all(rows, columns);
        for (int group = 0; group < groups.length; group++) {
            int from = group * size;
            Kernels.Codes part = (row, to, offset) -> System.arraycopy(all, row * columns + from, to, offset, size);
            groups[group] = large ? family.largeWeights(part, rows, size) : family.weights(part, rows, size);
        }
    }

    @Override
    public String kernel() {
        return groups[0].kernel();
    }

    @Override
    public long bytes() {
        return Arrays.stream(groups).mapToLong(Kernels.Weights::bytes).sum() + 4L * groups.length * rows;
    }

    @Override
    public void read(int row, byte[] to, int offset) {
        for (int group = 0; group < groups.length; group++) {
            groups[group].read(row, to, offset + group * size);
        }
    }

    @Override
    public void prepare(Int8Input x) {
        groups[0].prepare(x.groups(size));
    }

    @Override
    public void products(Int8Input x, int first, int n, float scale, float[] y, int yOffset, int yStride) {
        Int8Input inputs = x.groups(size);
        float[] sums = x.floats(n * rows);
        for (int t = 0; t < n; t++) {
            Arrays.fill(y, yOffset + t * yStride, yOffset + t * yStride + rows, 0);
        }
        for (int group = 0; group < groups.length; group++) {
            groups[group].products(inputs, group * x.rows() + first, n, 1, sums, 0, rows);
            for (int t = 0; t < n; t++) {
                addScaled(sums, t * rows, scales, group * scalesStride + firstRow, y, yOffset + t * yStride, rows);
            }
        }
        for (int t = 0; t < n; t++) {
            float factor = scale / x.scales()[first + t];
            for (int row = 0, at = yOffset + t * yStride; row < rows; row++) {
                y[at + row] *= factor;
            }
        }
    }

    private static void addScaled(float[] sums, int at, float[] scales, int scalesAt, float[] y, int yAt, int rows) {
        for (int row = 0; row < rows; row++) {
            y[yAt + row] += sums[at + row] * scales[scalesAt + row];
        }
    }
}
