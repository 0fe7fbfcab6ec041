package io.github.bitttt.tensor;

import io.github.bitttt.tensor.internal.Kernels;
import io.github.bitttt.tensor.internal.SlicedWeights;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * A matrix of -1, 0 and 1 with one scale, or a scale for each group of inputs of a row: w is about scale * code. Immutable, shared
 * freely between threads.
 *
 * <p>Quantization (absmean): beta = max(mean |w|, 1e-5), code = clamp(rint(w / beta), -1, 1), in double; scale = beta.
 * Source: BitNet b1.58, arXiv:2402.17764.
 *
 * <p>The codes lie once, in the layout of the kernels, at about two bits each; every other form is read from there when it is
 * asked for.
 */
public final class TernaryMatrix {
    /** The kernels' narrow sums hold so many inputs of at most 127. */
    private static final int LARGEST_GROUP = 256;

    private final int rows;
    private final int columns;
    private final float scale; // of all, 1 where groups have their own
    private final int group; // inputs that share a scale; 0 where all do
    private final float[] scales; // [groups, rows]
    private final Kernels.Weights weights;

    private TernaryMatrix(int rows, int columns, float scale, Kernels.Weights weights) {
        this(rows, columns, scale, 0, new float[0], weights);
    }

    private TernaryMatrix(int rows, int columns, float scale, int group, float[] scales, Kernels.Weights weights) {
        this.rows = rows;
        this.columns = columns;
        this.scale = scale;
        this.group = group;
        this.scales = scales;
        this.weights = weights;
    }

    private static TernaryMatrix of(Kernels family, Kernels.Codes codes, int rows, int columns, float scale) {
        return new TernaryMatrix(rows, columns, scale, SlicedWeights.of(family, codes, rows, columns));
    }

    /** The same matrix for a family of kernels, past the choice of the process. */
    TernaryMatrix with(Kernels family) {
        return group == 0
                ? of(family, weights, rows, columns, scale)
                : new TernaryMatrix(rows, columns, 1, group, scales,
                        SlicedWeights.ofGroups(family, weights, rows, group, scales));
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
        return of(KernelChoice.current().kernels(), checked(codes, columns), rows, columns, scale);
    }

    /** A matrix with a scale for each group of inputs of a row: w[r, c] is about scales[r, c / group] * code. Its products are
     * y_r = 1 / s * sum over groups of scale * (exact sum of the group), in float, from the first group to the last.
     *
     * @param codes   each -1, 0 or 1; rows that lie anywhere
     * @param rows    at least 1
     * @param columns a multiple of group
     * @param group   inputs that share a scale, 1 to 256; 64 and 128 are usual
     * @param scales  [rows, columns / group] in row order, finite; copied
     * @return the matrix */
    public static TernaryMatrix ofGroups(CodeRows codes, int rows, int columns, int group, float[] scales) {
        checkShape(rows, columns, 1);
        if (group < 1 || group > LARGEST_GROUP || columns % group != 0) {
            throw new IllegalArgumentException(
                    "a group has 1 to " + LARGEST_GROUP + " inputs, and a row whole groups, got "
                            + group + " of " + columns);
        }
        int groups = columns / group;
        checkLength("scales", rows * groups, scales.length, rows, columns);
        float[] turned = new float[scales.length];
        for (int i = 0; i < scales.length; i++) {
            checkShape(rows, columns, scales[i]);
            turned[i % groups * rows + i / groups] = scales[i];
        }
        return new TernaryMatrix(rows, columns, 1, group, turned, SlicedWeights
                .ofGroups(KernelChoice.current().kernels(), checked(codes, columns), rows, group, turned));
    }

    private static Kernels.Codes checked(CodeRows codes, int columns) {
        return (row, to, offset) -> {
            codes.read(row, to, offset);
            for (int i = 0; i < columns; i++) {
                if (to[offset + i] < -1 || to[offset + i] > 1) {
                    throw new IllegalArgumentException(
                            "codes must be -1, 0 or 1, got " + to[offset + i] + " at row " + row + ", column " + i);
                }
            }
        };
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
        return of(KernelChoice.current().kernels(), unpacked(packed, rows, columns)::read, rows, columns, scale);
    }

    /** The same with a scale for each group of inputs of a row.
     *
     * @param packed  [ceil(rows / 4), columns]
     * @param rows    at least 1
     * @param columns a multiple of group
     * @param group   inputs that share a scale, see {@link #ofGroups}
     * @param scales  [rows, columns / group] in row order, finite; copied
     * @return the matrix */
    public static TernaryMatrix unpackGroups(MemorySegment packed, int rows, int columns, int group, float[] scales) {
        checkShape(rows, columns, 1);
        return ofGroups(unpacked(packed, rows, columns), rows, columns, group, scales);
    }

    private static CodeRows unpacked(MemorySegment packed, int rows, int columns) {
        int quarter = (rows + 3) / 4;
        if (packed.byteSize() != (long) quarter * columns) {
            throw new IllegalArgumentException("a matrix [" + rows + ", " + columns + "] takes "
                    + (long) quarter * columns + " packed bytes, got " + packed.byteSize());
        }
        return (row, codes, offset) -> {
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
        };
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
     *
     * @return finite
     * @throws IllegalStateException if groups have scales of their own */
    public float scale() {
        checkOneScale();
        return scale;
    }

    /** Whether there is one scale, or one for each group of inputs of a row.
     *  @return true for one */
    public boolean hasOneScale() {
        return group == 0;
    }

    /** The scales, in row order.
     *  @return a copy: one, or [rows, columns / group] */
    public float[] scales() {
        if (group == 0) {
            return new float[]{scale};
        }
        float[] inOrder = new float[scales.length];
        int groups = columns / group;
        for (int i = 0; i < inOrder.length; i++) {
            inOrder[i] = scales[i % groups * rows + i / groups];
        }
        return inOrder;
    }

    private void checkOneScale() {
        if (group != 0) {
            throw new IllegalStateException("a matrix with a scale for each " + group + " inputs has no single scale");
        }
    }

    /** The inputs that share a scale.
     *  @return the size of a group, or all columns where there is one scale */
    public int group() {
        return group == 0 ? columns : group;
    }

    /** The scale of an element.
     *
     * @param row    its row
     * @param column its column
     * @return of its group, or of all */
    public float scale(int row, int column) {
        Objects.checkIndex(row, rows);
        Objects.checkIndex(column, columns);
        return group == 0 ? scale : scales[column / group * rows + row];
    }

    /** The same codes with another scale.
     *
     * @param other finite
     * @return a new matrix */
    public TernaryMatrix withScale(float other) {
        checkShape(rows, columns, other);
        checkOneScale();
        return new TernaryMatrix(rows, columns, other, weights);
    }

    /** What a product reads of it: the codes in the kernels' layout, and the scales of groups.
     *  @return bytes */
    public long layoutBytes() {
        return weights.bytes();
    }

    /** What the packed form takes.
     *  @return bytes, at two bits a code and four for a scale */
    public long bytes() {
        return (rows + 3) / 4 * (long) columns + 4L * Math.max(scales.length, 1);
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
                float sum = 0;
                for (int from = 0; from < columns; from += group()) {
                    sum += FloatOps.dot(floats, from, x, t * columns + from, group()) * scale(row, from);
                }
                y[t * rows + row] = sum;
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
        return "TernaryMatrix[" + rows + ", " + columns + "], "
                + (group == 0 ? "scale " + scale : "a scale for each " + group + " inputs");
    }
}
