package io.github.bitttt.tensor;

import io.github.bitttt.tensor.internal.NaiveKernels;
import java.util.Arrays;
import java.util.Objects;

/**
 * Rows rounded to int8, each with its scale: the input of a ternary product. A buffer that its owner reuses; for one thread.
 *
 * <p>Per row: s = 127 / max(max |x|, 1e-5), code = clamp(rint(x s), -127, 127), rint half-to-even, in float.
 */
public final class RoundedRows {
    private final int columns;
    private byte[] codes;
    private float[] scales;
    private int rows;

    /** An empty buffer.
     *
     * @param columns of each row */
    public RoundedRows(int columns) {
        if (columns < 1) {
            throw new IllegalArgumentException("columns must be at least 1, got " + columns);
        }
        this.columns = columns;
        this.codes = new byte[columns];
        this.scales = new float[1];
    }

    /** Rounds rows; what was here before is gone.
     *
     * @param x      inputs
     * @param offset of the first
     * @param n      rows */
    public void round(float[] x, int offset, int n) {
        Objects.checkFromIndexSize(offset, n * columns, x.length);
        if (scales.length < n) {
            codes = Arrays.copyOf(codes, n * columns);
            scales = Arrays.copyOf(scales, n);
        }
        for (int row = 0; row < n; row++) {
            scales[row] = NaiveKernels.round(x, offset + row * columns, columns, codes, row * columns);
        }
        rows = n;
    }

    /** How many rows were rounded last.
     *  @return n */
    public int rows() {
        return rows;
    }

    /** The width of a row.
     *  @return its columns */
    public int columns() {
        return columns;
    }

    /** A row's scale s.
     *
     * @param row its index
     * @return 127 / max(max |x|, 1e-5) */
    public float scale(int row) {
        return scales[Objects.checkIndex(row, rows)];
    }

    /** A code.
     *
     * @param row    its row
     * @param column its column
     * @return -127 to 127 */
    public byte code(int row, int column) {
        return codes[Objects.checkIndex(row, rows) * columns + Objects.checkIndex(column, columns)];
    }

    byte[] codes() {
        return codes;
    }
}
