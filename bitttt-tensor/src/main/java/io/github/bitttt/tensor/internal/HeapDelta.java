package io.github.bitttt.tensor.internal;

import java.util.Arrays;

/** W by columns in an array: element (i, j) of a head at (head d + j) d + i. */
public abstract class HeapDelta implements FloatKernels.DeltaWeights {
    /** The width of a head. */
    protected final int d;
    /** All heads. */
    protected final float[] w;

    /** Zeros.
     *
     * @param heads H
     * @param d     width of a head */
    protected HeapDelta(int heads, int d) {
        this.d = d;
        w = new float[Math.multiplyExact(heads, Math.multiplyExact(d, d))];
    }

    @Override
    public final void copyTo(float[] rows) {
        turn(w, rows);
    }

    @Override
    public final void set(float[] rows) {
        turn(rows, w);
    }

    private void turn(float[] from, float[] into) {
        int elements = d * d;
        for (int i = 0; i < w.length; i++) {
            into[i / elements * elements + i % d * d + i / d % d] = from[i];
        }
    }

    @Override
    public final void clear() {
        Arrays.fill(w, 0);
    }
}
