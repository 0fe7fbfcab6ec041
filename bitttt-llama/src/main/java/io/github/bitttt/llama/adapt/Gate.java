package io.github.bitttt.llama.adapt;

import java.util.Arrays;

/**
 * How far an expert is trusted, learned online: q = (1 - g) p + g c with g = sigmoid(w x), where x says how sure the expert is.
 *
 * <p>After token y, w += rate (g c(y) / q(y) - g) x: the gradient of log q(y). g stays within sigmoid(-9) and sigmoid(9).
 */
final class Gate {
    static final int FEATURES = 5;
    private static final double RATE = 0.02;
    private static final double MOST = 9;
    private static final double MOST_WEIGHT = 100;

    private final double[] first;
    private final double[] weights;

    /** A gate.
     *
     * @param first weights to begin with, [FEATURES] */
    Gate(double... first) {
        this.first = Arrays.copyOf(first, FEATURES);
        weights = this.first.clone();
    }

    double share(double[] features) {
        double sum = 0;
        for (int i = 0; i < FEATURES; i++) {
            sum += weights[i] * features[i];
        }
        return 1 / (1 + Math.exp(-Math.clamp(sum, -MOST, MOST)));
    }

    /** One step, and the mixed probability before it.
     *
     * @param features x, as they were for the prediction
     * @param before   p(y), above 0
     * @param expert   c(y), at least 0
     * @return q(y) */
    double learn(double[] features, double before, double expert) {
        double share = share(features);
        double mixed = (1 - share) * before + share * expert;
        double step = RATE * (share * expert / mixed - share);
        for (int i = 0; i < FEATURES; i++) {
            weights[i] = Math.clamp(weights[i] + step * features[i], -MOST_WEIGHT, MOST_WEIGHT);
        }
        return mixed;
    }

    /** log(p / (1 - p)), limited to the probabilities from 1e-4 to 1 - 1e-4. */
    static double logit(double p) {
        double limited = Math.clamp(p, 1e-4, 1 - 1e-4);
        return Math.log(limited / (1 - limited));
    }

    void clear() {
        System.arraycopy(first, 0, weights, 0, FEATURES);
    }

    void pass(StatePort port) {
        for (int i = 0; i < FEATURES; i++) {
            weights[i] = port.number(weights[i], -MOST_WEIGHT, MOST_WEIGHT);
        }
    }
}
