package io.github.bitttt.nn.cpu;

import io.github.bitttt.tensor.DeltaMemory;
import io.github.bitttt.tensor.TokenRows;
import java.util.Arrays;

/**
 * Rows of floats, the value of the CPU reading. A buffer of {@link CpuOps}, overwritten by its next pass.
 *
 * <p>The weights W [H, d, d] of a memory are H d rows of d in the layout of the kernels, and rows that grow with a text lie in
 * blocks of tokens: they have no {@link #values()}.
 */
public final class Rows {
    private float[] values = new float[0];
    private int rows;
    private int columns;

    private DeltaMemory memory; // of a memory's weights only
    private TokenRows tokens; // of rows that grow only

    Rows() {
    }

    /** The weights of a memory before the first token. */
    static Rows memory(int heads, int rows, int columns) {
        Rows weights = new Rows();
        weights.memory = new DeltaMemory(heads, rows, columns);
        weights.rows = heads * rows;
        weights.columns = columns;
        return weights;
    }

    /** A row for every token, of which there is none yet. */
    static Rows growing(int columns, boolean keys) {
        Rows rows = zeros(0, columns);
        rows.tokens = new TokenRows(columns, keys);
        return rows;
    }

    /** The rows that grow themselves. */
    TokenRows tokens() {
        if (tokens == null) {
            throw new IllegalStateException(this + " do not grow; CpuOps.empty makes some");
        }
        return tokens;
    }

    /** The weights of a memory themselves. */
    DeltaMemory memory() {
        if (memory == null) {
            throw new IllegalStateException(this + " are not the weights of a memory; CpuOps.empty makes one");
        }
        return memory;
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
        return tokens == null ? rows : tokens.rows();
    }

    /** The width of a row.
     *  @return its columns */
    public int columns() {
        return columns;
    }

    /** A copy of the numbers.
     *  @return rows * columns of them */
    public float[] toArray() {
        if (tokens != null) {
            return tokens.toArray();
        }
        return memory == null ? Arrays.copyOf(values, rows * columns) : memory.toArray();
    }

    /** Overwrites the numbers.
     *
     * @param from rows * columns of them, copied; of rows that grow any number of rows */
    public void set(float[] from) {
        if (memory != null) {
            memory.set(from);
            return;
        }
        if (tokens != null) {
            tokens.set(from);
            return;
        }
        System.arraycopy(from, 0, values, 0, rows * columns);
    }

    /** Overwrites the numbers by zeros, or takes away rows that grew. */
    public void clear() {
        if (memory != null) {
            memory.clear();
        } else if (tokens != null) {
            tokens.clear();
        } else {
            Arrays.fill(values, 0);
        }
    }

    @Override
    public String toString() {
        return "Rows[" + rows() + ", " + columns + "]";
    }
}
