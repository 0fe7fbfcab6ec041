package io.github.bitttt.tensor;

import io.github.bitttt.tensor.internal.Kernels;
import io.github.bitttt.tensor.internal.SlicedWeights;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * A matrix of -1, 0 and 1 with one scale: w is about scale * code. Immutable, shared freely between threads.
 *
 * <p>Quantization (absmean): beta = max(mean |w|, 1e-5), code = clamp(rint(w / beta), -1, 1), in double; scale = beta.
 * Source: BitNet b1.58, arXiv:2402.17764.
 *
 * <p>The codes lie once, in the layout of the kernels, at about two bits each; every other form is read from there when it is
 * asked for.
 */
public final class TernaryMatrix {
    private final int rows;
    private final int columns;
    private final float scale;
    private final Kernels.Weights weights;

    private TernaryMatrix(int rows, int columns, float scale, Kernels.Weights weights) {
        this.rows = rows;
        this.columns = columns;
        this.scale = scale;
        this.weights = weights;
    }

    private static TernaryMatrix of(Kernels family, Kernels.Codes codes, int rows, int columns, float scale) {
        return new TernaryMatrix(rows, columns, scale, SlicedWeights.of(family, codes, rows, columns));
    }

    /** The same matrix for a family of kernels, past the choice of the process. */
    TernaryMatrix with(Kernels family) {
        return of(family, weights, rows, columns, scale);
    }

    /** The kernel that multiplies this matrix.
     *  @return its name */
    public String kernel() {
        return weights.kernel();
    }

    private static void checkShape(int rows, int columns, float scale) {
        if (rows < 1 || columns < 1 || (long) rows * columns > Integer.MAX_VALUE - 64) {
            throw new IllegalArgumentException(
                    "a matrix has 1 to 2^31 - 64 elements, got [" + rows + ", " + columns + "]");
        }
        if (!Float.isFinite(scale)) {
            throw new IllegalArgumentException("scale must be finite, got " + scale);
        }
    }

    private static void checkLength(String what, int expected, int got, int rows, int columns) {
        if (expected != got) {
            throw new IllegalArgumentException(
                    "a matrix [" + rows + ", " + columns + "] takes " + expected + " " + what + ", got " + got);
        }
    }

    /** The scale of absmean quantization.
     *
     * @param w weights
     * @return max(mean |w|, 1e-5), in double */
    public static double beta(float[] w) {
        double sum = 0;
        for (float value : w) {
            sum += Math.abs(value);
        }
        return Math.max(sum / w.length, 1e-5);
    }

    /** Rounds weights to the nearest of -beta, 0 and beta.
     *
     * @param w       [rows, columns] in row order
     * @param rows    at least 1
     * @param columns at least 1
     * @return codes with scale beta */
    public static TernaryMatrix quantize(float[] w, int rows, int columns) {
        checkShape(rows, columns, 1);
        checkLength("weights", rows * columns, w.length, rows, columns);
        double beta = beta(w);
        checkShape(rows, columns, (float) beta);
        return of(KernelChoice.current().kernels(), (row, codes, offset) -> {
            for (int i = 0; i < columns; i++) {
                codes[offset + i] = (byte) Math.clamp(Math.rint(w[row * columns + i] / beta), -1, 1);
            }
        }, rows, columns, (float) beta);
    }

    /** A matrix of given codes.
     *
     * @param codes   [rows, columns] in row order, each -1, 0 or 1; copied
     * @param rows    at least 1
     * @param columns at least 1
     * @param scale   of the product
     * @return the matrix */
    public static TernaryMatrix ofCodes(byte[] codes, int rows, int columns, float scale) {
        checkShape(rows, columns, scale);
        checkLength("codes", rows * columns, codes.length, rows, columns);
        return ofRows(Kernels.Codes.of(codes, columns)::read, rows, columns, scale);
    }

    /** A matrix of codes that lie somewhere else; they are brought into the kernels' layout row by row, and nothing else is kept.
     *
     * @param codes   each -1, 0 or 1
     * @param rows    at least 1
     * @param columns at least 1
     * @param scale   of the product
     * @return the matrix */
    public static TernaryMatrix ofRows(CodeRows codes, int rows, int columns, float scale) {
        checkShape(rows, columns, scale);
        return of(KernelChoice.current().kernels(), (row, to, offset) -> {
            codes.read(row, to, offset);
            for (int i = 0; i < columns; i++) {
                if (to[offset + i] < -1 || to[offset + i] > 1) {
                    throw new IllegalArgumentException(
                            "codes must be -1, 0 or 1, got " + to[offset + i] + " at row " + row + ", column " + i);
                }
            }
        }, rows, columns, scale);
    }

    /** Reads the packed layout, see {@link #pack()}.
     *
     * @param packed  [ceil(rows / 4), columns]
     * @param rows    at least 1
     * @param columns at least 1
     * @param scale   of the product
     * @return the matrix */
    public static TernaryMatrix unpack(byte[] packed, int rows, int columns, float scale) {
        return unpack(MemorySegment.ofArray(packed), rows, columns, scale);
    }

    /** Reads the packed layout, see {@link #pack()}, from a mapped file for instance, which is not needed afterwards.
     *
     * @param packed  [ceil(rows / 4), columns]
     * @param rows    at least 1
     * @param columns at least 1
     * @param scale   of the product
     * @return the matrix */
    public static TernaryMatrix unpack(MemorySegment packed, int rows, int columns, float scale) {
        checkShape(rows, columns, scale);
        int quarter = (rows + 3) / 4;
        if (packed.byteSize() != (long) quarter * columns) {
            throw new IllegalArgumentException("a matrix [" + rows + ", " + columns + "] takes "
                    + (long) quarter * columns + " packed bytes, got " + packed.byteSize());
        }
        return of(KernelChoice.current().kernels(), (row, codes, offset) -> {
            MemorySegment.copy(packed, ValueLayout.JAVA_BYTE, (long) (row % quarter) * columns, codes, offset,
                    columns);
            int shift = 2 * (row / quarter);
            for (int i = 0; i < columns; i++) {
                int code = codes[offset + i] >> shift & 3;
                if (code == 3) {
                    throw new IllegalArgumentException(
                            "packed codes must be 0, 1 or 2, got 3 at row " + row + ", column " + i);
                }
                codes[offset + i] = (byte) (code - 1);
            }
        }, rows, columns, scale);
    }

    /** Two bits a code: code + 1 of row r in byte row r mod ceil(rows / 4), at bits 2 (r div ceil(rows / 4)). The layout of
     * the bitnet integration of transformers.
     *
     * @return [ceil(rows / 4), columns] */
    public byte[] pack() {
        int quarter = (rows + 3) / 4;
        byte[] packed = new byte[quarter * columns];
        byte[] codes = new byte[columns];
        for (int row = 0; row < rows; row++) {
            weights.read(row, codes, 0);
            int at = row % quarter * columns;
            for (int i = 0; i < columns; i++) {
                packed[at + i] |= (byte) (codes[i] + 1 << 2 * (row / quarter));
            }
        }
        return packed;
    }

    /** The codes as int8.
     *  @return a copy, [rows, columns] in row order */
    public byte[] codes() {
        return weights.all(rows, columns);
    }

    /** Reads the codes of a row.
     *
     * @param row    its index
     * @param codes  receives them, each -1, 0 or 1
     * @param offset of the first */
    public void codes(int row, byte[] codes, int offset) {
        Objects.checkIndex(row, rows);
        Objects.checkFromIndexSize(offset, columns, codes.length);
        weights.read(row, codes, offset);
    }

    /** One code; for many, {@link #codes(int, byte[], int)} reads a row at once.
     *
     * @param row    its row
     * @param column its column
     * @return -1, 0 or 1 */
    public byte code(int row, int column) {
        Objects.checkIndex(column, columns);
        byte[] codes = new byte[columns];
        codes(row, codes, 0);
        return codes[column];
    }

    /** Output features.
     *  @return at least 1 */
    public int rows() {
        return rows;
    }

    /** Input features.
     *  @return at least 1 */
    public int columns() {
        return columns;
    }

    /** What every product is multiplied by.
     *  @return finite */
    public float scale() {
        return scale;
    }

    /** The same codes with another scale.
     *
     * @param other finite
     * @return a new matrix */
    public TernaryMatrix withScale(float other) {
        checkShape(rows, columns, other);
        return new TernaryMatrix(rows, columns, other, weights);
    }

    /** What the packed form takes.
     *  @return bytes, at two bits a code and four for the scale */
    public long bytes() {
        return (rows + 3) / 4 * (long) columns + 4;
    }

    /** y = scale * W x on a float row that is not rounded: a model's products round it, see {@link #matVec(RoundedRows, int, float[],
     * int)}. Naive twin: {@code NaiveKernels.floatSum}; float sums, within n 2^-23 sum |x| of it.
     *
     * @param x [columns]
     * @param y [rows] */
    public void matVec(float[] x, float[] y) {
        checkLength("inputs", columns, x.length, rows, columns);
        checkLength("outputs", rows, y.length, rows, columns);
        matMul(x, 1, y);
    }

    /** y = scale * x W^T on float rows that are not rounded, by the kernels for floats.
     *
     * @param x at least [n, columns]
     * @param n rows of x
     * @param y at least [n, rows] */
    public void matMul(float[] x, int n, float[] y) {
        Objects.checkFromIndexSize(0, (long) n * columns, x.length);
        Objects.checkFromIndexSize(0, (long) n * rows, y.length);
        byte[] codes = new byte[columns];
        float[] floats = new float[columns];
        for (int row = 0; row < rows; row++) {
            weights.read(row, codes, 0);
            for (int i = 0; i < columns; i++) {
                // By way of an int: straight from a byte the loop is compiled to half the speed.
                floats[i] = (int) codes[i];
            }
            for (int t = 0; t < n; t++) {
                y[t * rows + row] = FloatOps.dot(floats, 0, x, t * columns, columns) * scale;
            }
        }
    }

    /** y = scale / s * W x on one int8 row: the sums are exact.
     *
     * @param x       rounded rows
     * @param row     which of them
     * @param y       outputs
     * @param yOffset of the first of {@link #rows()} */
    public void matVec(RoundedRows x, int row, float[] y, int yOffset) {
        checkLength("inputs", columns, x.columns(), rows, columns);
        Objects.checkFromIndexSize(yOffset, rows, y.length);
        Objects.checkIndex(row, x.rows());
        weights.products(x.input(), row, 1, scale, y, yOffset, rows);
    }

    /** y = scale / s * x W^T on int8 rows.
     *
     * @param x rounded rows
     * @param y at least [n, rows] */
    public void matMul(RoundedRows x, float[] y) {
        matMul(x, y, 0);
    }

    /** y = scale / s * x W^T on int8 rows, into the middle of an array.
     *
     * @param x       rounded rows
     * @param y       outputs [n, rows]
     * @param yOffset of the first */
    public void matMul(RoundedRows x, float[] y, int yOffset) {
        checkLength("inputs", columns, x.columns(), rows, columns);
        Objects.checkFromIndexSize(yOffset, (long) x.rows() * rows, y.length);
        weights.products(x.input(), 0, x.rows(), scale, y, yOffset, rows);
    }

    @Override
    public String toString() {
        return "TernaryMatrix[" + rows + ", " + columns + "], scale " + scale;
    }
}
