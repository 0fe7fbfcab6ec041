package io.github.bitttt.llama.adapt;

/** A distribution over a few tokens, and how sure it is of it. Buffers: overwritten by the next prediction. */
final class SparseExpert {
    final int[] tokens;
    final float[] shares; // of the same index; their sum is 1
    final double[] features = new double[Gate.FEATURES];
    int size; // 0 if there is nothing to say
    int likeliest; // index

    SparseExpert(int most) {
        tokens = new int[most];
        shares = new float[most];
    }

    void findLikeliest() {
        likeliest = 0;
        for (int i = 1; i < size; i++) {
            likeliest = shares[i] > shares[likeliest] ? i : likeliest;
        }
    }

    float shareOf(int token) {
        for (int i = 0; i < size; i++) {
            if (tokens[i] == token) {
                return shares[i];
            }
        }
        return 0;
    }
}
