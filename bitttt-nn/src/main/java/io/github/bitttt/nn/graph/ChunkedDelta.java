package io.github.bitttt.nn.graph;

import io.github.bitttt.nn.Ops;
import io.github.bitttt.nn.Read;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The delta rule C tokens at a time, exactly. Naive twin: {@code NaiveOps.delta}.
 *
 * <p>For a chunk with rows K, V [C, d] and rates eta: A = strictly lower part of diag(eta) K K^T, R = (I + A)^-1,
 * U = R diag(eta) (V - K S) with S = W^T, answers V S + lower(V K^T) U (with the diagonal when read after), S' = S + K^T U.
 * What does not depend on S is computed for all chunks at once; only four products a chunk follow one another.
 *
 * <p>Tokens are padded to full chunks with rows of zeros and rates of zero, which leave S alone.
 */
final class ChunkedDelta {
    private final SameDiff graph;
    private final GraphMath math;
    private final int batch;
    private final int tokens;
    private final int heads;
    private final int width; // d
    private final Read read;
    private final int chunk;
    private final int chunks;

    ChunkedDelta(SameDiff graph, GraphMath math, int batch, int tokens, int heads, int width, Read read) {
        this.graph = graph;
        this.math = math;
        this.batch = batch;
        this.tokens = tokens;
        this.heads = heads;
        this.width = width;
        this.read = read;
        this.chunk = Math.min(GraphOps.CHUNK, tokens);
        this.chunks = (tokens + chunk - 1) / chunk;
    }

    Ops.Delta<SDVariable> apply(SDVariable weights, SDVariable keys, SDVariable values, SDVariable rates) {
        SDVariable k = chunked(keys, width); // [N B H, C, d]
        SDVariable v = chunked(values, width);
        SDVariable eta = chunked(rates, 1); // [N B H, C, 1]
        SDVariable scaledKeys = math.scaleTokens(k, eta, width);
        SDVariable scaledValues = math.scaleTokens(v, eta, width);
        SDVariable answers = math.mask(math.matMul(v, false, k, true), math.lowerMask(chunk, read == Read.AFTER));
        if (chunk > 1) {
            SDVariable a = math.mask(math.matMul(scaledKeys, false, k, true), math.lowerMask(chunk, false));
            SDVariable inverse = math.inverseOfUnitLower(a, chunk);
            scaledKeys = math.matMul(inverse, false, scaledKeys, false);
            scaledValues = math.matMul(inverse, false, scaledValues, false);
        }
        return recur(weights, new Parts(split(k), split(v), split(scaledKeys), split(scaledValues), split(answers)));
    }

    private record Parts(SDVariable[] k, SDVariable[] v, SDVariable[] solvedKeys, SDVariable[] solvedValues,
            SDVariable[] answers) {}

    private Ops.Delta<SDVariable> recur(SDVariable weights, Parts parts) {
        SDVariable state = weights.permute(0, 1, 3, 2).reshape(streams(), width, width); // S = W^T
        SDVariable[] outputs = new SDVariable[chunks];
        for (int n = 0; n < chunks; n++) {
            SDVariable u = parts.solvedValues[n].sub(math.matMul(parts.solvedKeys[n], false, state, false));
            outputs[n] = math.matMul(parts.v[n], false, state, false)
                    .add(math.matMul(parts.answers[n], false, u, false));
            state = state.add(math.matMul(parts.k[n], true, u, false));
        }
        SDVariable after = state.reshape(batch, heads, width, width).permute(0, 1, 3, 2);
        return new Ops.Delta<>(unchunked(chunks == 1 ? outputs[0] : graph.concat(0, outputs)), after);
    }

    private long streams() {
        return (long) batch * heads;
    }

    private SDVariable[] split(SDVariable x) {
        return chunks == 1 ? new SDVariable[]{x} : graph.split(x, chunks, 0);
    }

    /** [B T, H e] -> [N B H, C, e]. */
    private SDVariable chunked(SDVariable rows, int e) {
        SDVariable padded = math.padTokens(rows.reshape(batch, tokens, (long) heads * e), batch, tokens, chunks * chunk,
                heads * e);
        return padded.reshape(batch, chunks, chunk, heads, e).permute(1, 0, 3, 2, 4).reshape(chunks * streams(), chunk,
                e);
    }

    /** [N B H, C, d] -> [B T, M]. */
    private SDVariable unchunked(SDVariable x) {
        SDVariable rows = x.reshape(chunks, batch, heads, chunk, width).permute(1, 0, 3, 2, 4).reshape(batch,
                (long) chunks * chunk, (long) heads * width);
        SDVariable cut = chunks * chunk == tokens
                ? rows
                : math.slice(rows, batch, 0, tokens, chunks * chunk, heads * width);
        return cut.reshape((long) batch * tokens, (long) heads * width);
    }
}
