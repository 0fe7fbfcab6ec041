package io.github.bitttt.llama.adapt;

import io.github.bitttt.tensor.FloatOps;
import java.util.Arrays;

/**
 * Hidden rows as keys: k = n / |n| with n = (h - mean) / sqrt(variance + 1e-3), over the running mean and variance of what was read.
 */
final class Keys {
    private static final float SLOWEST = 1e-3f;
    private static final double MOST = 1e18; // of a normed row, whose square is a float still

    final float[] mean;
    final float[] variance;

    Keys(int width) {
        mean = new float[width];
        variance = new float[width];
        clear();
    }

    void key(float[] hidden, float[] key) {
        for (int i = 0; i < key.length; i++) {
            key[i] = (hidden[i] - mean[i]) / (float) Math.sqrt(variance[i] + 1e-3f);
        }
        FloatOps.normalize(key, 0, key.length);
    }

    /** Takes a row into mean and variance.
     *
     * @param hidden the row
     * @param before rows that were taken before */
    void learn(float[] hidden, long before) {
        float weight = Math.max(1f / (before + 1), SLOWEST);
        for (int i = 0; i < mean.length; i++) {
            float difference = hidden[i] - mean[i];
            mean[i] += weight * difference;
            variance[i] += weight * (difference * difference - variance[i]);
        }
    }

    void clear() {
        Arrays.fill(mean, 0);
        Arrays.fill(variance, 1);
    }

    void pass(StatePort port) {
        port.floats(mean, MOST);
        port.floats(variance, Float.MAX_VALUE);
        for (float value : variance) {
            if (value < 0) {
                throw new IllegalArgumentException("output memory: a variance must be at least 0, got " + value);
            }
        }
    }
}
