package io.github.bitttt.tensor;

import io.github.bitttt.tensor.internal.FloatKernels.DeltaWeights;
import java.util.Objects;

/**
 * Matrices W [v, k], one for each head, that one step of gradient descent trains on each token: the delta rule.
 *
 * <pre>
 * W = gamma W
 * e = v - W k           what W does not know yet of v, given k
 * W = W + eta e k^T     minus the gradient of ||e||^2 / 2
 * answer = W q          before or after that sum
 * </pre>
 *
 * <p>On the kernels of {@link KernelChoice}, in a layout of theirs; sums are within k * 2^-23 * sum |x y| of the exact ones.
 * Nothing is allocated by a step. For one thread at a time.
 */
public final class DeltaMemory {
    private final int heads;
    private final int rows;
    private final int columns;
    private final DeltaWeights weights;

    /** A memory before the first token: zeros.
     *
     * @param heads   H, at least 1
     * @param rows    width of a value, at least 1
     * @param columns width of a key and a query, at least 1 */
    public DeltaMemory(int heads, int rows, int columns) {
        if (heads < 1 || rows < 1 || columns < 1) {
            throw new IllegalArgumentException("a memory has heads and widths of at least 1, got " + heads + ", " + rows
                    + " and " + columns);
        }
        this.heads = heads;
        this.rows = rows;
        this.columns = columns;
        Math.multiplyExact(heads, Math.multiplyExact(rows, columns));
        weights = KernelChoice.current().kernels().floats().deltaWeights(heads, rows, columns);
    }

    /** Trains one head on one token.
     *
     * @param head         from 0
     * @param keys         holds k
     * @param keyOffset    of its first number
     * @param queries      holds q; may be the array of another
     * @param queryOffset  of its first number
     * @param values       holds v
     * @param valueOffset  of its first number
     * @param rate         eta
     * @param decay        gamma, in [0, 1]; 1 keeps W exactly
     * @param after        read after the update
     * @param answers      receives the answer; another array than those
     * @param answerOffset of its first number */
    public void step(int head, float[] keys, int keyOffset, float[] queries, int queryOffset, float[] values,
            int valueOffset, float rate, float decay, boolean after, float[] answers, int answerOffset) {
        Objects.checkIndex(head, heads);
        Objects.checkFromIndexSize(keyOffset, columns, keys.length);
        Objects.checkFromIndexSize(queryOffset, columns, queries.length);
        Objects.checkFromIndexSize(valueOffset, rows, values.length);
        Objects.checkFromIndexSize(answerOffset, rows, answers.length);
        weights.step(head, keys, keyOffset, queries, queryOffset, values, valueOffset, rate, decay, after, answers,
                answerOffset);
    }

    /** What was learned.
     *  @return [H, v, k] in row order, a copy */
    public float[] toArray() {
        float[] w = new float[heads * rows * columns];
        weights.copyTo(w);
        return w;
    }

    /** Overwrites what was learned.
     *
     * @param w [H, v, k] in row order; copied */
    public void set(float[] w) {
        if (w.length != heads * rows * columns) {
            throw new IllegalArgumentException(
                    this + " takes " + heads * rows * columns + " numbers, got " + w.length);
        }
        weights.set(w);
    }

    /** Forgets everything. */
    public void clear() {
        weights.clear();
    }

    @Override
    public String toString() {
        return "DeltaMemory[" + heads + ", " + rows + ", " + columns + "]";
    }
}
