package io.github.bitttt.nn.cpu;

import io.github.bitttt.nn.Attention;
import io.github.bitttt.nn.Memory;
import java.util.Arrays;

/**
 * Attention over a growing cache: keys in {@code weights}, values in {@code previous}, and how many in {@code feature}, so
 * that zeros are an empty cache. Naive twin: {@code NaiveOps.attend}. A baseline to compare with, not tuned.
 */
final class CausalAttention {
    private CausalAttention() {
    }

    static Memory<Rows> emptyCache() {
        return new Memory<>(Rows.zeros(0, 1), Rows.zeros(0, 1), Rows.zeros(1, 1));
    }

    static void attend(int heads, Memory<Rows> cache, Rows queries, Rows keys, Rows values, Rows answers) {
        int width = queries.columns();
        int past = (int) cache.feature().values()[0];
        int rows = past + queries.rows();
        grow(cache.weights(), past, rows, width);
        grow(cache.previous(), past, rows, width);
        cache.feature().values()[0] = rows;
        turn(heads, past, keys, cache.weights().values(), past * width);
        System.arraycopy(values.values(), 0, cache.previous().values(), past * width, queries.rows() * width);
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

    private static void grow(Rows cache, int past, int rows, int width) {
        float[] old = cache.values();
        if (old.length < rows * width) {
            cache.shape(Math.max(rows, 2 * past), width);
            System.arraycopy(old, 0, cache.values(), 0, past * width);
        }
        cache.shape(rows, width);
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
    private static void answer(float[] queries, int at, int width, Memory<Rows> cache, int seen, float[] scores,
            float[] answers) {
        int columns = cache.weights().columns();
        int head = at % columns;
        float largest = Float.NEGATIVE_INFINITY;
        float scale = (float) (1 / Math.sqrt(width));
        for (int s = 0; s < seen; s++) {
            float sum = 0;
            for (int i = 0; i < width; i++) {
                sum += queries[at + i] * cache.weights().values()[s * columns + head + i];
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
                answers[at + i] += weight * cache.previous().values()[s * columns + head + i];
            }
        }
        for (int i = 0; i < width; i++) {
            answers[at + i] = (float) (answers[at + i] / total);
        }
    }
}
