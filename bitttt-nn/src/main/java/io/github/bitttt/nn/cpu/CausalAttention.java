package io.github.bitttt.nn.cpu;

import io.github.bitttt.nn.Attention;
import io.github.bitttt.nn.KvCache;
import io.github.bitttt.nn.Rotary;
import java.util.Arrays;

/**
 * Attention over a growing cache. Naive twin: {@code NaiveOps.attend}. What it computes with is kept from token to token, so that
 * a token allocates nothing but room in the cache. For one thread.
 */
final class CausalAttention {
    private float[] turned = new float[0];
    private float[] scores = new float[0];
    // Of one layer's rotary positions; layers of a model share them, so they are made once.
    private Rotary rotary = Rotary.STANDARD;
    private double[] frequencies = new double[0];
    private float[] cos = new float[0];
    private float[] sin = new float[0];
    private int angles; // positions in cos and sin

    void attend(Attention layer, KvCache<Rows> cache, Rows queries, Rows keys, Rows values, Rows answers) {
        int past = cache.keys().rows();
        int seen = past + queries.rows();
        prepare(layer, seen, queries.rows() * queries.columns());
        int at = cache.keys().append(keys.rows());
        turn(layer.headWidth(), past, keys, cache.keys().values(), at);
        cache.values().append(values.rows());
        System.arraycopy(values.values(), 0, cache.values().values(), at, values.rows() * values.columns());
        turn(layer.headWidth(), past, queries, turned, 0);
        int shared = layer.heads() / layer.keyHeads(); // query heads of one key head
        for (int t = 0; t < queries.rows(); t++) {
            for (int head = 0; head < layer.heads(); head++) {
                answer(t * queries.columns() + head * layer.headWidth(), layer.headWidth(), cache,
                        head / shared * layer.headWidth(), past + t + 1, answers.values());
            }
        }
    }

    private void prepare(Attention layer, int seen, int numbers) {
        if (turned.length < numbers) {
            turned = new float[numbers];
        }
        if (scores.length < seen) {
            scores = new float[Math.max(seen, 2 * scores.length)];
        }
        int half = layer.headWidth() / 2;
        if (!layer.rotary().equals(rotary) || frequencies.length != half) {
            rotary = layer.rotary();
            frequencies = new double[half];
            Arrays.setAll(frequencies, pair -> rotary.frequency(pair, 2 * half));
            angles = 0;
        }
        if (angles < seen) {
            turnsUntil(Math.max(seen, 2 * angles), half);
        }
    }

    /** Cosines and sines of every pair at every position below n. */
    private void turnsUntil(int n, int half) {
        cos = Arrays.copyOf(cos, Math.multiplyExact(n, half));
        sin = Arrays.copyOf(sin, cos.length);
        for (int position = angles; position < n; position++) {
            for (int pair = 0; pair < half; pair++) {
                double angle = position * frequencies[pair];
                cos[position * half + pair] = (float) Math.cos(angle);
                sin[position * half + pair] = (float) Math.sin(angle);
            }
        }
        angles = n;
    }

    private void turn(int width, int past, Rows x, float[] into, int offset) {
        int half = width / 2;
        for (int t = 0; t < x.rows(); t++) {
            int turns = (past + t) * half;
            for (int head = t * x.columns(); head < (t + 1) * x.columns(); head += width) {
                for (int pair = 0; pair < half; pair++) {
                    float first = x.values()[head + pair];
                    float second = x.values()[head + pair + half];
                    into[offset + head + pair] = first * cos[turns + pair] - second * sin[turns + pair];
                    into[offset + head + pair + half] = second * cos[turns + pair] + first * sin[turns + pair];
                }
            }
        }
    }

    /** One head of one row: its query and answer at one place, its keys and values at another of each row of the cache. */
    private void answer(int at, int width, KvCache<Rows> cache, int head, int seen, float[] answers) {
        int columns = cache.keys().columns();
        float[] keys = cache.keys().values();
        float largest = Float.NEGATIVE_INFINITY;
        float scale = (float) (1 / Math.sqrt(width));
        for (int s = 0; s < seen; s++) {
            float sum = 0;
            for (int i = 0; i < width; i++) {
                sum += turned[at + i] * keys[s * columns + head + i];
            }
            scores[s] = sum * scale;
            largest = Math.max(largest, scores[s]);
        }
        weigh(largest, seen);
        float[] values = cache.values().values();
        Arrays.fill(answers, at, at + width, 0);
        for (int s = 0; s < seen; s++) {
            float weight = scores[s];
            for (int i = 0; i < width; i++) {
                answers[at + i] += weight * values[s * columns + head + i];
            }
        }
    }

    /** Scores to shares of 1. */
    private void weigh(float largest, int seen) {
        double total = 0;
        for (int s = 0; s < seen; s++) {
            scores[s] = (float) Math.exp(scores[s] - largest);
            total += scores[s];
        }
        for (int s = 0; s < seen; s++) {
            scores[s] = (float) (scores[s] / total);
        }
    }
}
