package io.github.bitttt.nn.cpu;

import io.github.bitttt.nn.Attention;
import io.github.bitttt.nn.KvCache;
import java.util.Arrays;

/**
 * Attention over a growing cache. Naive twin: {@code NaiveOps.attend}. A baseline to compare with, not tuned.
 */
final class CausalAttention {
    private CausalAttention() {
    }

    static void attend(int heads, KvCache<Rows> cache, Rows queries, Rows keys, Rows values, Rows answers) {
        int width = queries.columns();
        int past = cache.keys().rows();
        int rows = past + queries.rows();
        int at = cache.keys().append(queries.rows());
        turn(heads, past, keys, cache.keys().values(), at);
        cache.values().append(queries.rows());
        System.arraycopy(values.values(), 0, cache.values().values(), at, queries.rows() * width);
        float[] turned = new float[queries.rows() * width];
        turn(heads, past, queries, turned, 0);
        float[] scores = new float[rows];
        for (int t = 0; t < queries.rows(); t++) {
            for (int head = 0; head < heads; head++) {
                answer(turned, t * width + head * (width / heads), width / heads, cache, past + t + 1, scores,
                        answers.values());
            }
        }
    }

    private static void turn(int heads, int past, Rows x, float[] into, int offset) {
        int width = x.columns() / heads;
        int half = width / 2;
        for (int t = 0; t < x.rows(); t++) {
            for (int pair = 0; pair < half; pair++) {
                double angle = Attention.angle(past + t, pair, width);
                float cos = (float) Math.cos(angle);
                float sin = (float) Math.sin(angle);
                for (int head = 0; head < heads; head++) {
                    int at = t * x.columns() + head * width + pair;
                    float first = x.values()[at];
                    float second = x.values()[at + half];
                    into[offset + at] = first * cos - second * sin;
                    into[offset + at + half] = second * cos + first * sin;
                }
            }
        }
    }

    /** One head of one row, at the same place of queries, keys, values and answers. */
    private static void answer(float[] queries, int at, int width, KvCache<Rows> cache, int seen, float[] scores,
            float[] answers) {
        int columns = cache.keys().columns();
        int head = at % columns;
        float largest = Float.NEGATIVE_INFINITY;
        float scale = (float) (1 / Math.sqrt(width));
        for (int s = 0; s < seen; s++) {
            float sum = 0;
            for (int i = 0; i < width; i++) {
                sum += queries[at + i] * cache.keys().values()[s * columns + head + i];
            }
            scores[s] = sum * scale;
            largest = Math.max(largest, scores[s]);
        }
        double total = 0;
        Arrays.fill(answers, at, at + width, 0);
        for (int s = 0; s < seen; s++) {
            float weight = (float) Math.exp(scores[s] - largest);
            total += weight;
            for (int i = 0; i < width; i++) {
                answers[at + i] += weight * cache.values().values()[s * columns + head + i];
            }
        }
        for (int i = 0; i < width; i++) {
            answers[at + i] = (float) (answers[at + i] / total);
        }
    }
}
