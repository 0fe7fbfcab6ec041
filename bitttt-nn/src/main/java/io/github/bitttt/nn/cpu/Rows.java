package io.github.bitttt.nn.cpu;

import io.github.bitttt.tensor.DeltaMemory;
import java.util.Arrays;

/**
 * Rows of floats, the value of the CPU reading. A buffer of {@link CpuOps}, overwritten by its next pass.
 *
 * <p>The weights W [H, d, d] of a memory are H d rows of d in the layout of the kernels: they have no {@link #values()}.
 */
public final class Rows {
    private float[] values = new float[0];
    private int rows;
    private int columns;

    private DeltaMemory memory; // of a memory's weights only
    private boolean growing;

    Rows() {
    }

    /** The weights of a memory before the first token. */
    static Rows memory(int heads, int d) {
        Rows weights = new Rows();
        weights.memory = new DeltaMemory(heads, d);
        weights.rows = heads * d;
        weights.columns = d;
        return weights;
    }

    /** A row for every token, of which there is none yet. */
    static Rows growing(int columns) {
        Rows rows = zeros(0, columns);
        rows.growing = true;
        return rows;
    }

    /** Makes room for rows behind those that are there.
     *
     * @return the offset of the first of them */
    int append(int n) {
        float[] old = values;
        int used = rows * columns;
        if (old.length < used + Math.multiplyExact(n, columns)) {
            shape(Math.max(rows + n, 2 * rows), columns);
            System.arraycopy(old, 0, values, 0, used);
        }
        shape(used / columns + n, columns);
        return used;
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
        if (growing) {
            shape(from.length / columns, columns);
        }
        System.arraycopy(from, 0, values, 0, rows * columns);
    }

    /** Overwrites the numbers by zeros, or takes away rows that grew. */
    public void clear() {
        if (memory != null) {
            memory.clear();
        } else if (growing) {
            rows = 0;
        } else {
            Arrays.fill(values, 0);
        }
    }

    @Override
    public String toString() {
        return "Rows[" + rows + ", " + columns + "]";
    }
}
