package io.github.bitttt.nn.naive;

import io.github.bitttt.nn.Attention;
import io.github.bitttt.nn.KvCache;
import io.github.bitttt.nn.Mixed;
import io.github.bitttt.nn.Rotary;
import java.util.Arrays;

/** Causal attention as plain loops: the definition of {@link io.github.bitttt.nn.Ops#attend}. */
final class NaiveAttention {
    private NaiveAttention() {
    }

    static Mixed<Doubles> attend(Attention layer, KvCache<Doubles> cache, Doubles queries, Doubles keys,
            Doubles values) {
        int past = cache.keys().rows().length;
        int width = layer.headWidth();
        int shared = layer.heads() / layer.keyHeads(); // query heads of one key head
        double[][] k = joined(cache.keys(), turned(layer, past, keys));
        double[][] v = joined(cache.values(), values);
        double[][] q = turned(layer, past, queries).rows();
        double[][] answers = new double[q.length][];
        for (int t = 0; t < q.length; t++) {
            answers[t] = new double[layer.heads() * width];
            for (int head = 0; head < layer.heads(); head++) {
                double[] answer = answer(NaiveOps.head(q[t], head, width), k, v, head / shared, past + t + 1);
                System.arraycopy(answer, 0, answers[t], head * width, width);
            }
        }
        return new Mixed<>(new Doubles(answers), new KvCache<>(new Doubles(k), new Doubles(v)));
    }

    /** One query over the first rows of one key head. */
    private static double[] answer(double[] query, double[][] keys, double[][] values, int head, int seen) {
        int width = query.length;
        double[] scores = new double[seen];
        for (int s = 0; s < seen; s++) {
            scores[s] = NaiveOps.dot(query, NaiveOps.head(keys[s], head, width)) / Math.sqrt(width);
        }
        double largest = Arrays.stream(scores).max().orElseThrow(); // so that no exponential overflows
        double[] answer = new double[width];
        double sum = 0;
        for (int s = 0; s < seen; s++) {
            double weight = Math.exp(scores[s] - largest);
            sum += weight;
            for (int i = 0; i < width; i++) {
                answer[i] += weight * values[s][head * width + i];
            }
        }
        for (int i = 0; i < width; i++) {
            answer[i] /= sum;
        }
        return answer;
    }

    /** Rotary positions: numbers i and i + m / 2 of each head are turned as a point of the plane. */
    private static Doubles turned(Attention layer, int past, Doubles x) {
        Rotary rotary = layer.rotary();
        int width = layer.headWidth();
        int half = rotary.turned(width) / 2;
        double[][] y = new double[x.rows().length][];
        for (int t = 0; t < y.length; t++) {
            double[] row = x.rows()[t];
            y[t] = row.clone();
            for (int first = 0; first < row.length; first++) {
                int pair = first % width;
                if (pair < half) {
                    int second = first + half;
                    double angle = (past + t) * rotary.frequency(pair, width);
                    double cos = Math.cos(angle) * rotary.magnitude();
                    double sin = Math.sin(angle) * rotary.magnitude();
                    y[t][first] = row[first] * cos - row[second] * sin;
                    y[t][second] = row[second] * cos + row[first] * sin;
                }
            }
        }
        return new Doubles(y);
    }

    private static double[][] joined(Doubles before, Doubles after) {
        double[][] rows = Arrays.copyOf(before.rows(), before.rows().length + after.rows().length);
        System.arraycopy(after.rows(), 0, rows, before.rows().length, after.rows().length);
        return rows;
    }
}
