package io.github.bitttt.tensor.internal;

import java.util.Arrays;

/** W by columns in an array: element (i, j) of a head at (head columns + j) rows + i. */
public abstract class HeapDelta implements FloatKernels.DeltaWeights {
    /** The width of a value. */
    protected final int rows;
    /** The width of a key. */
    protected final int columns;
    /** All heads. */
    protected final float[] w;

    /** Zeros.
     *
     * @param heads   H
     * @param rows    width of a value
     * @param columns width of a key */
    protected HeapDelta(int heads, int rows, int columns) {
        this.rows = rows;
        this.columns = columns;
        w = new float[Math.multiplyExact(heads, Math.multiplyExact(rows, columns))];
    }

    @Override
    public final void copyTo(float[] all) {
        int elements = rows * columns;
        for (int at = 0; at < w.length; at++) {
            int in = at % elements;
            all[at] = w[at - in + in % columns * rows + in / columns];
        }
    }

    @Override
    public final void set(float[] all) {
        int elements = rows * columns;
        for (int at = 0; at < w.length; at++) {
            int in = at % elements;
            w[at - in + in % columns * rows + in / columns] = all[at];
        }
    }

    @Override
    public final void clear() {
        Arrays.fill(w, 0);
    }
}
