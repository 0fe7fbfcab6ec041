package io.github.bitttt.nn.cpu;

import io.github.bitttt.nn.Attention;
import io.github.bitttt.nn.KvCache;
import io.github.bitttt.nn.Rotary;
import io.github.bitttt.tensor.HeadAttention;
import io.github.bitttt.tensor.TokenRows;
import java.util.Arrays;

/**
 * Attention over a growing cache: turns queries and keys by their positions. Naive twin: {@code NaiveOps.attend}. What it computes
 * with is kept from token to token, so that a token allocates nothing but, at times, a block of the cache. For one thread.
 */
final class CausalAttention {
    private float[] turned = new float[0];
    private final HeadAttention attention = new HeadAttention();
    // Of one layer's rotary positions; layers of a model share them, so they are made once.
    private Rotary rotary = Rotary.STANDARD;
    private double[] frequencies = new double[0];
    private float[] cos = new float[0];
    private float[] sin = new float[0];
    private int angles; // positions in cos and sin

    void attend(Attention layer, KvCache<Rows> cache, Rows queries, Rows keys, Rows values, Rows answers) {
        TokenRows seenKeys = cache.keys().tokens();
        TokenRows seenValues = cache.values().tokens();
        int past = seenKeys.rows();
        prepare(layer, past + queries.rows(), queries.rows() * queries.columns());
        turn(layer, past, keys, turned);
        seenKeys.append(turned, 0, keys.rows());
        seenValues.append(values.values(), 0, values.rows());
        turn(layer, past, queries, turned);
        attention.attend(turned, queries.rows(), layer.heads(), seenKeys, seenValues, layer.keyHeads(),
                answers.values());
    }

    private void prepare(Attention layer, int seen, int numbers) {
        if (turned.length < numbers) {
            turned = new float[numbers];
        }
        int half = layer.rotary().turned(layer.headWidth()) / 2;
        if (!layer.rotary().equals(rotary) || frequencies.length != half) {
            rotary = layer.rotary();
            frequencies = new double[half];
            Arrays.setAll(frequencies, pair -> rotary.frequency(pair, layer.headWidth()));
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
                cos[position * half + pair] = (float) (Math.cos(angle) * rotary.magnitude());
                sin[position * half + pair] = (float) (Math.sin(angle) * rotary.magnitude());
            }
        }
        angles = n;
    }

    private void turn(Attention layer, int past, Rows x, float[] into) {
        int width = layer.headWidth();
        int half = layer.rotary().turned(width) / 2;
        if (2 * half < width) {
            System.arraycopy(x.values(), 0, into, 0, x.rows() * x.columns());
        }
        for (int t = 0; t < x.rows(); t++) {
            int turns = (past + t) * half;
            for (int head = t * x.columns(); head < (t + 1) * x.columns(); head += width) {
                for (int pair = 0; pair < half; pair++) {
                    float first = x.values()[head + pair];
                    float second = x.values()[head + pair + half];
                    into[head + pair] = first * cos[turns + pair] - second * sin[turns + pair];
                    into[head + pair + half] = second * cos[turns + pair] + first * sin[turns + pair];
                }
            }
        }
    }
}
