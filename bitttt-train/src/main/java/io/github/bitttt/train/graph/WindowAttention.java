package io.github.bitttt.train.graph;

import io.github.bitttt.nn.Attention;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.factory.Nd4j;

/** Causal attention with rotary positions over the windows of a batch. Naive twin: {@code NaiveOps.attend}. */
final class WindowAttention {
    private final SameDiff graph;
    private final GraphMath math;
    private final int batch;
    private final int tokens;
    private final int heads;
    private final int width; // d

    WindowAttention(SameDiff graph, GraphMath math, int batch, int tokens, int heads, int width) {
        this.graph = graph;
        this.math = math;
        this.batch = batch;
        this.tokens = tokens;
        this.heads = heads;
        this.width = width;
    }

    SDVariable apply(SDVariable queries, SDVariable keys, SDVariable values) {
        SDVariable q = heads(turned(queries));
        SDVariable k = heads(turned(keys));
        SDVariable scores = math.matMul(q, false, k, true).mul(1 / Math.sqrt(width)); // [B H, T, T]
        SDVariable weights = graph.nn.softmax(math.shift(scores, unseen()), 2);
        SDVariable answers = math.matMul(weights, false, heads(values), false); // [B H, T, d]
        return answers.reshape(batch, heads, tokens, width).permute(0, 2, 1, 3).reshape((long) batch * tokens,
                (long) heads * width);
    }

    /** [B T, H d] -> [B H, T, d]. */
    private SDVariable heads(SDVariable rows) {
        return rows.reshape(batch, tokens, heads, width).permute(0, 2, 1, 3).reshape((long) batch * heads, tokens,
                width);
    }

    /** Rotary positions: x cos + (x P) sin, where P takes number i + d / 2 of a head to -i and i to i + d / 2. */
    private SDVariable turned(SDVariable x) {
        int columns = heads * width;
        float[][] cos = new float[batch * tokens][columns];
        float[][] sin = new float[batch * tokens][columns];
        float[][] swap = new float[columns][columns];
        for (int i = 0; i < columns; i++) {
            int pair = i % width % (width / 2);
            boolean first = i % width < width / 2;
            swap[first ? i + width / 2 : i - width / 2][i] = first ? -1 : 1;
            for (int row = 0; row < batch * tokens; row++) {
                double angle = Attention.angle(row % tokens, pair, width);
                cos[row][i] = (float) Math.cos(angle);
                sin[row][i] = (float) Math.sin(angle);
            }
        }
        SDVariable swapped = math.matMul(x, false, graph.constant(Nd4j.create(swap)), false);
        return math.mask(x, graph.constant(Nd4j.create(cos)))
                .add(math.mask(swapped, graph.constant(Nd4j.create(sin))));
    }

    /** Far below every score where a token would see a later one. */
    private SDVariable unseen() {
        float[][] mask = new float[tokens][tokens];
        for (int row = 0; row < tokens; row++) {
            for (int column = row + 1; column < tokens; column++) {
                mask[row][column] = -1e9f;
            }
        }
        return graph.constant(Nd4j.create(mask));
    }
}
