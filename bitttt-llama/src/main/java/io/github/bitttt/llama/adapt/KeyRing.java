package io.github.bitttt.llama.adapt;

import io.github.bitttt.tensor.FloatOps;
import io.github.bitttt.tensor.TokenRows;
import java.util.Arrays;

/**
 * The last N keys with the tokens that followed: c(w) is the sum of exp(15 k k_i) over the i that w followed, over that of all i.
 *
 * <p>Kept keys are folded: element i is added with a fixed sign into place i mod m, and the sum is brought to length 1. Keys that
 * are less than e^-6 of the nearest are left out. They lie by columns in blocks of 64, so that no inner product is summed across lanes. Source: the neural cache, arXiv:1612.04426, of constant size.
 */
final class KeyRing {
    static final float SHARPNESS = 15;
    static final float FURTHEST = 6;
    private static final double USUAL = 0.7; // similarity of the nearest

    private static final int BLOCK = TokenRows.BLOCK;

    private final float[] keys; // [N / 64, m, 64]
    final int[] next;
    int size;
    int oldest; // where the next key goes
    private final int width;
    private final float[] folded;
    private final float[] similarities;
    private final float[] beside = new float[BLOCK];
    private final float[] mass; // [V], zero between predictions

    KeyRing(int capacity, int width, int tokens) {
        this.width = width;
        keys = new float[Math.multiplyExact(Math.ceilDiv(capacity, BLOCK) * BLOCK, width)];
        next = new int[capacity];
        folded = new float[width];
        similarities = new float[capacity];
        mass = new float[tokens];
    }

    /** Folds a key; {@link #predict} and {@link #learn} take it from here. */
    void fold(float[] key) {
        Arrays.fill(folded, 0);
        for (int from = 0; from < key.length; from += width) {
            int n = Math.min(width, key.length - from);
            for (int i = 0; i < n; i++) {
                folded[i] += sign(from + i) * key[from + i];
            }
        }
        FloatOps.normalize(folded, 0, width);
    }

    static int sign(int i) {
        return 1 - 2 * (i * 0x9E3779B9 >>> 31);
    }

    void predict(SparseExpert expert) {
        expert.size = 0;
        if (size == 0) {
            return;
        }
        for (int from = 0; from < size; from += BLOCK) {
            FloatOps.besides(folded, keys, from * width, beside);
            System.arraycopy(beside, 0, similarities, from, Math.min(BLOCK, size - from));
        }
        float nearest = similarities[0];
        for (int i = 1; i < size; i++) {
            nearest = Math.max(nearest, similarities[i]);
        }
        double total = 0;
        for (int i = 0; i < size; i++) {
            float distance = SHARPNESS * (nearest - similarities[i]);
            if (distance < FURTHEST) {
                float weight = (float) Math.exp(-distance);
                if (mass[next[i]] == 0) {
                    expert.tokens[expert.size++] = next[i];
                }
                mass[next[i]] += weight;
                total += weight;
            }
        }
        for (int i = 0; i < expert.size; i++) {
            expert.shares[i] = (float) (mass[expert.tokens[i]] / total);
            mass[expert.tokens[i]] = 0;
        }
        expert.findLikeliest();
        expert.features[1] = Gate.logit(expert.shares[expert.likeliest]) / 2;
        expert.features[2] = (nearest - USUAL) * 4;
        expert.features[4] = Math.log(total) - 1;
    }

    /** Keeps the folded key with the token that came. */
    void learn(int token) {
        for (int i = 0; i < width; i++) {
            keys[at(oldest, i)] = folded[i];
        }
        next[oldest] = token;
        oldest = (oldest + 1) % next.length;
        size = Math.max(size, oldest == 0 ? next.length : oldest);
    }

    private int at(int key, int i) {
        return (key / BLOCK * width + i) * BLOCK + key % BLOCK;
    }

    void clear() {
        size = 0;
        oldest = 0;
        Arrays.fill(keys, 0);
        Arrays.fill(next, 0);
    }

    void pass(StatePort port, int lastToken) {
        float[] rows = new float[next.length * width];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = keys[at(i / width, i % width)];
        }
        port.floats(rows, 1.001);
        for (int i = 0; i < rows.length; i++) {
            keys[at(i / width, i % width)] = rows[i];
        }
        port.ints(next, lastToken);
        size = (int) port.number(size, 0, next.length);
        oldest = (int) port.number(oldest, 0, Math.max(0, next.length - 1));
    }
}
