package io.github.bitttt.train.graph;

import io.github.bitttt.nn.Attention;
import io.github.bitttt.nn.Rotary;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.factory.Nd4j;

/** Causal attention with rotary positions over the windows of a batch. Naive twin: {@code NaiveOps.attend}. */
final class WindowAttention {
    private final SameDiff graph;
    private final GraphMath math;
    private final int batch;
    private final int tokens;
    private final int groups; // heads of keys and values
    private final int shared; // query heads of each
    private final int width; // d
    private final Rotary rotary;

    WindowAttention(SameDiff graph, GraphMath math, int batch, int tokens, Attention layer) {
        this.graph = graph;
        this.math = math;
        this.batch = batch;
        this.tokens = tokens;
        this.groups = layer.keyHeads();
        this.shared = layer.heads() / groups;
        this.width = layer.headWidth();
        this.rotary = layer.rotary();
    }

    SDVariable apply(SDVariable queries, SDVariable keys, SDVariable values) {
        SDVariable q = heads(turned(queries, groups * shared), shared);
        SDVariable k = heads(turned(keys, groups), 1);
        // Query heads that share keys are rows of one matrix: [B G, S T, T].
        SDVariable scores = math.matMul(q, false, k, true).mul(1 / Math.sqrt(width));
        SDVariable weights = graph.nn.softmax(math.shift(scores, unseen()), 2);
        SDVariable answers = math.matMul(weights, false, heads(values, 1), false); // [B G, S T, d]
        return answers.reshape(batch, groups, shared, tokens, width).permute(0, 3, 1, 2, 4)
                .reshape((long) batch * tokens, (long) groups * shared * width);
    }

    /** [B T, G S d] -> [B G, S T, d]. */
    private SDVariable heads(SDVariable rows, int each) {
        return rows.reshape(batch, tokens, groups, each, width).permute(0, 2, 3, 1, 4).reshape((long) batch * groups,
                (long) each * tokens, width);
    }

    /** Rotary positions: x cos + (x P) sin, where P takes number i + m / 2 of a head to -i and i to i + m / 2. */
    private SDVariable turned(SDVariable x, int heads) {
        int columns = heads * width;
        float[][] cos = new float[batch * tokens][columns];
        float[][] sin = new float[batch * tokens][columns];
        float[][] swap = new float[columns][columns];
        int half = rotary.turned(width) / 2;
        for (int i = 0; i < columns; i++) {
            if (i % width >= 2 * half) { // not turned
                for (float[] row : cos) {
                    row[i] = (float) rotary.magnitude();
                }
                continue;
            }
            int pair = i % width % half;
            boolean first = i % width < half;
            swap[first ? i + half : i - half][i] = first ? -1 : 1;
            double frequency = rotary.frequency(pair, width);
            for (int row = 0; row < batch * tokens; row++) {
                double angle = row % tokens * frequency;
                cos[row][i] = (float) (Math.cos(angle) * rotary.magnitude());
                sin[row][i] = (float) (Math.sin(angle) * rotary.magnitude());
            }
        }
        SDVariable swapped = math.matMul(x, false, graph.constant(Nd4j.create(swap)), false);
        return math.mask(x, graph.constant(Nd4j.create(cos)))
                .add(math.mask(swapped, graph.constant(Nd4j.create(sin))));
    }

    /** Far below every score where a token would see a later one. */
    private SDVariable unseen() {
        float[][] mask = new float[shared * tokens][tokens];
        for (int row = 0; row < shared * tokens; row++) {
            for (int column = row % tokens + 1; column < tokens; column++) {
                mask[row][column] = -1e9f;
            }
        }
        return graph.constant(Nd4j.create(mask));
    }
}
