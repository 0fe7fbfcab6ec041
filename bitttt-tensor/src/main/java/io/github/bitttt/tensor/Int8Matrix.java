package io.github.bitttt.tensor;

import io.github.bitttt.tensor.internal.FloatKernels.Int8Weights;
import io.github.bitttt.tensor.internal.Kernels;
import io.github.bitttt.tensor.internal.SlicedInt8;
import java.util.Objects;

/**
 * A matrix of int8 rows, each with its scale: element = code * scale of its row. Immutable, shared freely between threads.
 *
 * <p>Of floats: scale = max |row| / 127, code = clamp(rint(w / scale), -127, 127); a row of zeros has scale 0.
 *
 * <p>The codes lie once, in the layout of the kernels; rows are read from there.
 */
public final class Int8Matrix {
    private final int rows;
    private final int columns;
    private final float[] scales;
    private final Int8Weights weights;

    private Int8Matrix(Kernels.Codes codes, int rows, int columns, float[] scales) {
        this.rows = rows;
        this.columns = columns;
        this.scales = scales;
        weights = SlicedInt8.of(KernelChoice.current().kernels().floats(), codes, rows, columns);
        // After the codes, for those of floats are found while they are read.
        for (float scale : scales) {
            if (!Float.isFinite(scale)) {
                throw new IllegalArgumentException("scale must be finite, got " + scale);
            }
        }
    }

    /** A matrix of codes.
     *
     * @param codes  [rows, columns] in row order; copied
     * @param scales one for each row; copied */
    public Int8Matrix(byte[] codes, float[] scales) {
        this(Kernels.Codes.of(codes, columns(codes, scales)), scales.length, columns(codes, scales), scales.clone());
    }

    private static int columns(byte[] codes, float[] scales) {
        if (scales.length < 1 || codes.length < scales.length || codes.length % scales.length != 0) {
            throw new IllegalArgumentException(
                    "int8 rows take one scale each, got " + codes.length + " codes and " + scales.length + " scales");
        }
        return codes.length / scales.length;
    }

    private static void checkShape(int rows, int columns) {
        if (rows < 1 || columns < 1 || (long) rows * columns > Integer.MAX_VALUE - 64) {
            throw new IllegalArgumentException(
                    "a matrix has 1 to 2^31 - 64 elements, got [" + rows + ", " + columns + "]");
        }
    }

    /** A matrix of codes that lie somewhere else; they are brought into the kernels' layout row by row, and nothing else is kept.
     *
     * @param codes   int8 rows
     * @param columns of each row
     * @param scales  one for each row; copied
     * @return the matrix */
    public static Int8Matrix ofRows(CodeRows codes, int columns, float[] scales) {
        checkShape(scales.length, columns);
        return new Int8Matrix(codes::read, scales.length, columns, scales.clone());
    }

    /** Rounds each row.
     *
     * @param values  [rows, columns] in row order
     * @param columns of each row
     * @return the matrix */
    public static Int8Matrix quantize(float[] values, int columns) {
        return quantize((row, to) -> System.arraycopy(values, row * columns, to, 0, columns), values.length / columns,
                columns);
    }

    /** Rounds rows that lie somewhere else, one by one.
     *
     * @param values  their numbers
     * @param rows    at least 1
     * @param columns of each row, at least 1
     * @return the matrix */
    public static Int8Matrix quantize(FloatRows values, int rows, int columns) {
        checkShape(rows, columns);
        float[] scales = new float[rows];
        float[] numbers = new float[columns];
        return new Int8Matrix((row, codes, offset) -> {
            values.read(row, numbers);
            scales[row] = quantize(numbers, codes, offset);
        }, rows, columns, scales);
    }

    /** The scale of a row, and its codes. */
    private static float quantize(float[] numbers, byte[] codes, int offset) {
        float largest = 0;
        for (float number : numbers) {
            largest = Math.max(largest, Math.abs(number));
        }
        float scale = largest / 127;
        for (int i = 0; i < numbers.length; i++) {
            codes[offset + i] = scale == 0 ? 0 : (byte) Math.clamp(Math.rint((double) numbers[i] / scale), -127, 127);
        }
        return scale;
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
        weights.products(x, xOffset, y, yOffset);
        for (int row = 0; row < rows; row++) {
            y[yOffset + row] *= scales[row];
        }
    }

    /** The products of several inputs, each as {@link #matVec} gives it, to the bit. Two at a time go through the codes together.
     *
     * @param x holds the inputs, [n, {@link #columns()}] from the first
     * @param n how many
     * @param y outputs, [n, {@link #rows()}] from the first */
    public void matMul(float[] x, int n, float[] y) {
        Objects.checkFromIndexSize(0, n * columns, x.length);
        Objects.checkFromIndexSize(0, n * rows, y.length);
        int t = 0;
        for (; t + 2 <= n; t += 2) {
            weights.productsOfTwo(x, t * columns, (t + 1) * columns, y, t * rows, (t + 1) * rows);
        }
        if (t < n) {
            weights.products(x, t * columns, y, t * rows);
        }
        for (int at = 0; at < n * rows; at += rows) {
            for (int row = 0; row < rows; row++) {
                y[at + row] *= scales[row];
            }
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
        weights.row(row, scales[row], y, yOffset);
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

    /** The codes.
     *  @return a copy, [rows, columns] in row order */
    public byte[] codes() {
        return weights.all(rows, columns);
    }

    /** Reads the codes of a row.
     *
     * @param row    its index
     * @param codes  receives them
     * @param offset of the first */
    public void codes(int row, byte[] codes, int offset) {
        Objects.checkIndex(row, rows);
        Objects.checkFromIndexSize(offset, columns, codes.length);
        weights.read(row, codes, offset);
    }

    /** The scales, not a copy.
     *  @return one for each row, to be read only */
    public float[] scales() {
        return scales;
    }

    /** What it takes in a file.
     *  @return bytes, one a code and four a scale */
    public long bytes() {
        return (long) rows * columns + 4L * rows;
    }

    @Override
    public String toString() {
        return "Int8Matrix[" + rows + ", " + columns + "]";
    }
}
