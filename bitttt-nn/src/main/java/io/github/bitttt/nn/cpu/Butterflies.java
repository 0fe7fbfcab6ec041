package io.github.bitttt.nn.cpu;

/** The Walsh-Hadamard transform of consecutive blocks, in n log2 n additions. Naive twin: {@code NaiveOps.rotate}. */
final class Butterflies {
    private Butterflies() {
    }

    static void transform(int block, Rows rows) {
        float[] x = rows.values();
        float factor = (float) (1 / Math.sqrt(block));
        for (int from = 0; from < rows.rows() * rows.columns(); from += block) {
            for (int half = 1; half < block; half *= 2) {
                for (int at = from; at < from + block; at += 2 * half) {
                    butterfly(x, at, half);
                }
            }
            for (int i = from; i < from + block; i++) {
                x[i] *= factor;
            }
        }
    }

    private static void butterfly(float[] x, int at, int half) {
        for (int i = at; i < at + half; i++) {
            float sum = x[i] + x[i + half];
            x[i + half] = x[i] - x[i + half];
            x[i] = sum;
        }
    }
}
