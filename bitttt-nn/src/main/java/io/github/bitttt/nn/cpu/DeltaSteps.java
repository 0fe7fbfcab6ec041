package io.github.bitttt.nn.cpu;

import io.github.bitttt.nn.DeltaShape;
import io.github.bitttt.nn.Read;
import io.github.bitttt.tensor.DeltaMemory;
import io.github.bitttt.tensor.FloatOps;

/** The delta rule over rows, and what makes its keys and decays, in place. Naive twins: {@code NaiveOps}. */
final class DeltaSteps {
    private DeltaSteps() {
    }

    /** Trains a memory on all rows, head by head, so that a head's matrix stays in the nearest caches.
     *
     * @param keys     whose rows hold the keys of all heads from column keyAt on; queries and values likewise
     * @param decays   null for 1
     * @param answers  [n, H dv] */
    static void learn(DeltaShape shape, Read read, Rows memory, Rows keys, int keyAt, Rows queries, int queryAt,
            Rows values, int valueAt, Rows rates, Rows decays, Rows answers) {
        DeltaMemory weights = memory.memory();
        int heads = shape.heads();
        int shared = heads / shape.keyHeads();
        for (int head = 0; head < heads; head++) {
            int key = keyAt + head / shared * shape.keyWidth();
            int query = queryAt + head / shared * shape.keyWidth();
            int value = valueAt + head * shape.valueWidth();
            for (int t = 0; t < rates.rows(); t++) {
                weights.step(head, keys.values(), t * keys.columns() + key, queries.values(),
                        t * queries.columns() + query, values.values(), t * values.columns() + value,
                        rates.values()[t * heads + head], decays == null ? 1 : decays.values()[t * heads + head],
                        read == Read.AFTER, answers.values(), t * answers.columns() + head * shape.valueWidth());
            }
        }
    }

    /** Some heads of each row brought to a length: length f / sqrt(f.f + 1e-6). */
    static void unitHeads(Rows rows, int from, int heads, int width, double length) {
        float[] values = rows.values();
        for (int t = 0; t < rows.rows(); t++) {
            int first = t * rows.columns() + from;
            for (int at = first; at < first + heads * width; at += width) {
                float factor = (float) (length / Math.sqrt(FloatOps.dot(values, at, values, at, width) + 1e-6));
                for (int i = at; i < at + width; i++) {
                    values[i] *= factor;
                }
            }
        }
    }

    /** exp(-exp(A) softplus(x + a)). */
    static void fade(float[] offset, float[] exponent, Rows x, Rows y) {
        int heads = x.columns();
        for (int i = 0; i < x.rows() * heads; i++) {
            double z = x.values()[i] + offset[i % heads];
            double softplus = Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
            y.values()[i] = (float) Math.exp(-Math.exp(exponent[i % heads]) * softplus);
        }
    }
}
