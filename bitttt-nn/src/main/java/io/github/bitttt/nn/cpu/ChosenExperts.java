package io.github.bitttt.nn.cpu;

import io.github.bitttt.nn.Experts;

/** The experts that a token uses. Naive twin: {@code NaiveOps.experts}. For one thread. */
final class ChosenExperts {
    private int[] experts = new int[0];
    private float[] weights = new float[0];

    /** Takes the experts of the largest scores; of equals, the first. */
    void choose(Experts layer, float[] scores, int at) {
        int all = layer.experts().size();
        int count = layer.chosen();
        if (experts.length < count) {
            experts = new int[count];
            weights = new float[count];
        }
        double largest = Double.NEGATIVE_INFINITY;
        for (int e = 0; e < all; e++) {
            largest = Math.max(largest, scores[at + e]);
        }
        double sum = 0;
        for (int e = 0; e < all; e++) {
            sum += Math.exp(scores[at + e] - largest);
        }
        double chosen = 0;
        for (int k = 0; k < count; k++) {
            int best = -1;
            for (int e = 0; e < all; e++) {
                if (!taken(e, k) && (best < 0 || scores[at + e] > scores[at + best])) {
                    best = e;
                }
            }
            experts[k] = best;
            weights[k] = (float) Math.exp(scores[at + best] - largest);
            chosen += weights[k];
        }
        for (int k = 0; k < count; k++) {
            weights[k] /= (float) (layer.renormalised() ? chosen : sum);
        }
    }

    private boolean taken(int expert, int count) {
        for (int k = 0; k < count; k++) {
            if (experts[k] == expert) {
                return true;
            }
        }
        return false;
    }

    int expert(int k) {
        return experts[k];
    }

    float weight(int k) {
        return weights[k];
    }
}
