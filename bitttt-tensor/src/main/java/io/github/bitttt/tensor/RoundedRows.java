package io.github.bitttt.tensor;

import io.github.bitttt.tensor.internal.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Rows rounded to int8, each with its scale: the input of a ternary product. A buffer that its owner reuses; for one thread.
 *
 * <p>What a row becomes is said by {@link Rounding}; without another choice it is BitNet's. All in float.
 */
public final class RoundedRows {
    private final int columns;
    private final Rounding rounding;
    private final Kernels kernels;
    private final long stride; // bytes of a row's tables
    private float[] scales = new float[0];
    private Kernels.Input input;
    private int[] sums = new int[0];
    private int rows;

    /** An empty buffer.
     *
     * @param columns of each row */
    public RoundedRows(int columns) {
        this(columns, Rounding.BITNET);
    }

    /** An empty buffer with a rounding of its own.
     *
     * @param columns  of each row
     * @param rounding how they become int8 */
    public RoundedRows(int columns, Rounding rounding) {
        this(columns, rounding, KernelChoice.current().kernels());
    }

    RoundedRows(int columns, Kernels kernels) {
        this(columns, Rounding.BITNET, kernels);
    }

    private RoundedRows(int columns, Rounding rounding, Kernels kernels) {
        if (columns < 1) {
            throw new IllegalArgumentException("columns must be at least 1, got " + columns);
        }
        this.columns = columns;
        this.rounding = rounding;
        this.kernels = kernels;
        this.stride = kernels.tableBytes(columns);
        grow(1);
    }

    private void grow(int n) {
        // 64 more codes, so that a vector that begins at the last of them can be loaded whole.
        byte[] codes = new byte[n * columns + 64];
        scales = new float[n];
        MemorySegment tables = stride == 0 ? MemorySegment.NULL : Arena.ofAuto().allocate(n * stride, 64);
        input = new Kernels.Input(codes, columns, tables, stride, new Kernels.Scratch());
    }

    /** Rounds rows; what was here before is gone.
     *
     * @param x      inputs
     * @param offset of the first
     * @param n      rows */
    public void round(float[] x, int offset, int n) {
        Objects.checkFromIndexSize(offset, (long) n * columns, x.length);
        if (scales.length < n) {
            grow(n);
        }
        for (int row = 0; row < n; row++) {
            scales[row] = roundRow(x, offset + row * columns, row * columns);
            kernels.buildTables(input.codes(), row * columns, columns, input.tables(), row * stride);
        }
        rows = n;
    }

    private float roundRow(float[] x, int from, int to) {
        return switch (rounding) {
            case BITNET -> kernels.round(x, from, columns, input.codes(), to);
            case ORIGINAL -> kernels.roundAway(x, from, columns, input.codes(), to);
        };
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
     * @return what its numbers were multiplied by */
    public float scale(int row) {
        return scales[Objects.checkIndex(row, rows)];
    }

    /** A code.
     *
     * @param row    its row
     * @param column its column
     * @return -127 to 127 */
    public byte code(int row, int column) {
        return input.codes()[Objects.checkIndex(row, rows) * columns + Objects.checkIndex(column, columns)];
    }

    Kernels kernels() {
        return kernels;
    }

    Kernels.Input input() {
        return input;
    }

    /** Room for integer sums, kept from call to call. */
    int[] sums(int length) {
        if (sums.length < length) {
            sums = new int[length];
        }
        return sums;
    }
}
