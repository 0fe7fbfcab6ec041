package io.github.bitttt.tensor;

import io.github.bitttt.tensor.internal.FloatKernels.Int8Weights;
import java.util.Objects;

/**
 * A matrix of int8 rows, each with its scale: element = code * scale of its row. Immutable, shared freely between threads.
 *
 * <p>Of floats: scale = max |row| / 127, code = clamp(rint(w / scale), -127, 127); a row of zeros has scale 0.
 */
public final class Int8Matrix {
    private final int rows;
    private final int columns;
    private final byte[] codes;
    private final float[] scales;
    // In the kernels' own layout; made when first multiplied, twice at worst, and then the same.
    private volatile Int8Weights weights;

    /** A matrix of codes.
     *
     * @param codes  [rows, columns] in row order; kept, and never to be written after
     * @param scales one for each row; kept, and never to be written after */
    public Int8Matrix(byte[] codes, float[] scales) {
        if (scales.length < 1 || codes.length < scales.length || codes.length % scales.length != 0) {
            throw new IllegalArgumentException(
                    "int8 rows take one scale each, got " + codes.length + " codes and " + scales.length + " scales");
        }
        for (float scale : scales) {
            if (!Float.isFinite(scale)) {
                throw new IllegalArgumentException("scale must be finite, got " + scale);
            }
        }
        rows = scales.length;
        columns = codes.length / rows;
        this.codes = codes;
        this.scales = scales;
    }

    /** Rounds each row.
     *
     * @param values  [rows, columns] in row order
     * @param columns of each row
     * @return the matrix */
    public static Int8Matrix quantize(float[] values, int columns) {
        byte[] codes = new byte[values.length];
        float[] scales = new float[values.length / columns];
        for (int row = 0; row < scales.length; row++) {
            float largest = 0;
            for (int i = row * columns; i < (row + 1) * columns; i++) {
                largest = Math.max(largest, Math.abs(values[i]));
            }
            scales[row] = largest / 127;
            for (int i = row * columns; i < (row + 1) * columns; i++) {
                codes[i] = scales[row] == 0
                        ? 0
                        : (byte) Math.clamp(Math.rint((double) values[i] / scales[row]), -127, 127);
            }
        }
        return new Int8Matrix(codes, scales);
    }

    private Int8Weights weights() {
        Int8Weights ready = weights;
        if (ready == null) {
            ready = KernelChoice.current().kernels().floats().int8Weights(codes, rows, columns);
            weights = ready;
        }
        return ready;
    }

    /** y_r = scale_r * sum of codes[r, i] x_i: exact to the int8 rows within float rounding.
     *
     * @param x       holds the input
     * @param xOffset of the first of its {@link #columns()}
     * @param y       outputs
     * @param yOffset of the first of {@link #rows()} */
    public void matVec(float[] x, int xOffset, float[] y, int yOffset) {
        Objects.checkFromIndexSize(xOffset, columns, x.length);
        Objects.checkFromIndexSize(yOffset, rows, y.length);
        weights().products(x, xOffset, y, yOffset);
        for (int row = 0; row < rows; row++) {
            y[yOffset + row] *= scales[row];
        }
    }

    /** A row as floats.
     *
     * @param row     its index
     * @param y       receives code * scale
     * @param yOffset of the first of {@link #columns()} */
    public void row(int row, float[] y, int yOffset) {
        Objects.checkIndex(row, rows);
        Objects.checkFromIndexSize(yOffset, columns, y.length);
        for (int i = 0; i < columns; i++) {
            y[yOffset + i] = codes[row * columns + i] * scales[row];
        }
    }

    /** The number of rows.
     *  @return rows */
    public int rows() {
        return rows;
    }

    /** The width of a row.
     *  @return columns */
    public int columns() {
        return columns;
    }

    /** The codes, not a copy.
     *  @return [rows, columns] in row order, to be read only */
    public byte[] codes() {
        return codes;
    }

    /** The scales, not a copy.
     *  @return one for each row, to be read only */
    public float[] scales() {
        return scales;
    }

    /** What it takes in a file.
     *  @return bytes, one a code and four a scale */
    public long bytes() {
        return codes.length + 4L * rows;
    }

    @Override
    public String toString() {
        return "Int8Matrix[" + rows + ", " + columns + "]";
    }
}
