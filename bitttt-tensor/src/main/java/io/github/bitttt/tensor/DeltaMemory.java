package io.github.bitttt.tensor;

import io.github.bitttt.tensor.internal.FloatKernels.DeltaWeights;
import java.util.Objects;

/**
 * Matrices W [d, d], one for each head, that one step of gradient descent trains on each token: the delta rule.
 *
 * <pre>
 * W = gamma W
 * e = v - W k           what W does not know yet of v, given k
 * W = W + eta e k^T     minus the gradient of ||e||^2 / 2
 * answer = W v          before or after that sum
 * </pre>
 *
 * <p>On the kernels of {@link KernelChoice}, in a layout of theirs; sums are within d * 2^-23 * sum |x y| of the exact ones.
 * Nothing is allocated by a step. For one thread at a time.
 */
public final class DeltaMemory {
    private final int heads;
    private final int d;
    private final DeltaWeights weights;

    /** A memory before the first token: zeros.
     *
     * @param heads H, at least 1
     * @param d     width of a head, at least 1 */
    public DeltaMemory(int heads, int d) {
        if (heads < 1 || d < 1) {
            throw new IllegalArgumentException(
                    "a memory has heads and a width of at least 1, got " + heads + " and " + d);
        }
        this.heads = heads;
        this.d = d;
        Math.multiplyExact(heads, Math.multiplyExact(d, d));
        weights = KernelChoice.current().kernels().floats().deltaWeights(heads, d);
    }

    /** Trains one head on one token.
     *
     * @param head    from 0
     * @param keys    holds k at offset
     * @param values  holds v at offset
     * @param offset  of k, v and the answer
     * @param rate    eta
     * @param decay   gamma, in [0, 1]; 1 keeps W exactly
     * @param after   read after the update
     * @param answers receives the answer at offset; another array than keys and values */
    public void step(int head, float[] keys, float[] values, int offset, float rate, float decay, boolean after,
            float[] answers) {
        Objects.checkIndex(head, heads);
        Objects.checkFromIndexSize(offset, d, Math.min(keys.length, Math.min(values.length, answers.length)));
        weights.step(head, keys, offset, values, offset, rate, decay, after, answers, offset);
    }

    /** What was learned.
     *  @return [H, d, d] in row order, a copy */
    public float[] toArray() {
        float[] w = new float[heads * d * d];
        weights.copyTo(w);
        return w;
    }

    /** Overwrites what was learned.
     *
     * @param w [H, d, d] in row order; copied */
    public void set(float[] w) {
        if (w.length != heads * d * d) {
            throw new IllegalArgumentException(
                    "a memory [" + heads + ", " + d + ", " + d + "] takes " + heads * d * d + " numbers, got "
                            + w.length);
        }
        weights.set(w);
    }

    /** Forgets everything. */
    public void clear() {
        weights.clear();
    }

    @Override
    public String toString() {
        return "DeltaMemory[" + heads + ", " + d + ", " + d + "]";
    }
}
