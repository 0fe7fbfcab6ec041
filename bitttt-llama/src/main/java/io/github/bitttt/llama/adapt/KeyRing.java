package io.github.bitttt.llama.adapt;

import io.github.bitttt.tensor.FloatOps;
import java.util.Arrays;

/**
 * The last N keys with the tokens that followed: c(w) is the sum of exp(15 k k_i) over the i that w followed, over that of all i.
 *
 * <p>Kept keys are folded: element i is added with a fixed sign into place i mod m, and the sum is brought to length 1. Keys that
 * are less than e^-6 of the nearest are left out. Source: the neural cache, arXiv:1612.04426, of constant size.
 */
final class KeyRing {
    static final float SHARPNESS = 15;
    static final float FURTHEST = 6;
    private static final double USUAL = 0.7; // similarity of the nearest

    final float[] keys; // [N, m]
    final int[] next;
    int size;
    int oldest; // where the next key goes
    private final int width;
    private final float[] folded;
    private final float[] similarities;
    private final float[] mass; // [V], zero between predictions

    KeyRing(int capacity, int width, int tokens) {
        this.width = width;
        keys = new float[Math.multiplyExact(capacity, width)];
        next = new int[capacity];
        folded = new float[width];
        similarities = new float[capacity];
        mass = new float[tokens];
    }

    /** Folds a key; {@link #predict} and {@link #learn} take it from here. */
    void fold(float[] key) {
        Arrays.fill(folded, 0);
        for (int i = 0; i < key.length; i++) {
            folded[i % width] += sign(i) * key[i];
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
        FloatOps.matVec(keys, size, folded, 0, width, similarities, 0);
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
        System.arraycopy(folded, 0, keys, oldest * width, width);
        next[oldest] = token;
        oldest = (oldest + 1) % next.length;
        size = Math.max(size, oldest == 0 ? next.length : oldest);
    }

    void clear() {
        size = 0;
        oldest = 0;
        Arrays.fill(keys, 0);
        Arrays.fill(next, 0);
    }

    void pass(StatePort port, int lastToken) {
        port.floats(keys, 1.001);
        port.ints(next, lastToken);
        size = (int) port.number(size, 0, next.length);
        oldest = (int) port.number(oldest, 0, Math.max(0, next.length - 1));
    }
}
