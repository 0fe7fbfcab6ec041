package io.github.bitttt.nn.cpu;

import java.util.Arrays;

/**
 * Rows of floats, the value of the CPU reading. A buffer of {@link CpuOps}, overwritten by its next pass.
 */
public final class Rows {
    private float[] values = new float[0];
    private int rows;
    private int columns;

    Rows() {
    }

    Rows shape(int n, int width) {
        int length = Math.multiplyExact(n, width); // checked: the kernels trust it
        rows = n;
        columns = width;
        if (values.length < length) {
            values = new float[length];
        }
        return this;
    }

    /** Rows of one's own, for inputs and memories.
     *
     * @param rows    n
     * @param columns of each
     * @return zeros */
    public static Rows zeros(int rows, int columns) {
        return new Rows().shape(rows, columns);
    }

    /** The numbers, in row order; the array may be longer.
     *  @return the buffer itself */
    public float[] values() {
        return values;
    }

    /** n.
     *  @return how many rows hold values */
    public int rows() {
        return rows;
    }

    /** The width of a row.
     *  @return its columns */
    public int columns() {
        return columns;
    }

    /** A copy of the numbers.
     *  @return rows * columns of them */
    public float[] toArray() {
        return Arrays.copyOf(values, rows * columns);
    }

    @Override
    public String toString() {
        return "Rows[" + rows + ", " + columns + "]";
    }
}
