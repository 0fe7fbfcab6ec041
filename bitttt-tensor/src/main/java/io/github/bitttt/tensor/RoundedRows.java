package io.github.bitttt.tensor;

import io.github.bitttt.tensor.internal.Int8Input;
import io.github.bitttt.tensor.internal.Kernels;
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
    private final Int8Input input;

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
        this.input = new Int8Input(columns);
    }

    /** Rounds rows; what was here before is gone.
     *
     * @param x      inputs
     * @param offset of the first
     * @param n      rows */
    public void round(float[] x, int offset, int n) {
        Objects.checkFromIndexSize(offset, (long) n * columns, x.length);
        input.begin(n);
        for (int row = 0; row < n; row++) {
            input.scales()[row] = roundRow(x, offset + row * columns, row * columns);
        }
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
        return input.rows();
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
        return input.scales()[Objects.checkIndex(row, rows())];
    }

    /** A code.
     *
     * @param row    its row
     * @param column its column
     * @return -127 to 127 */
    public byte code(int row, int column) {
        return input.codes()[Objects.checkIndex(row, rows()) * columns + Objects.checkIndex(column, columns)];
    }

    Int8Input input() {
        return input;
    }
}
