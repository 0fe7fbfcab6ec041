package io.github.bitttt.train.graph;

import io.github.bitttt.nn.DeltaShape;
import io.github.bitttt.nn.Ops;
import io.github.bitttt.nn.Read;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The delta rule C tokens at a time, exactly. Naive twin: {@code NaiveOps.delta}.
 *
 * <p>For a chunk with rows K, Q [C, dk], V [C, dv] and rates eta: A = strictly lower part of diag(eta) K K^T, R = (I + A)^-1,
 * U = R diag(eta) (V - K S) with S = W^T, answers Q S + lower(Q K^T) U (with the diagonal when read after), S' = S + K^T U.
 * What does not depend on S is computed for all chunks at once; only four products a chunk follow one another.
 *
 * <p>With decays gamma, c_t = gamma_1 ... gamma_t from the chunk's start and D_ts = c_t / c_s for s <= t, which is at most 1:
 * both lower parts are multiplied by D, each K S and Q S by c_t, S' = c_C S + K^T diag(D_Cs) U. Ratios are exponentials of
 * differences of sums of logarithms, taken where s <= t only, so no exponent is positive.
 *
 * <p>Tokens are padded to full chunks with rows of zeros, rates of zero and decays of one, which leave S alone.
 */
final class ChunkedDelta {
    private final SameDiff graph;
    private final GraphMath math;
    private final int batch;
    private final int tokens;
    private final DeltaShape shape;
    private final int heads;
    private final Read read;
    private final int chunk;
    private final int chunks;

    ChunkedDelta(SameDiff graph, GraphMath math, int batch, int tokens, DeltaShape shape, Read read) {
        this.graph = graph;
        this.math = math;
        this.batch = batch;
        this.tokens = tokens;
        this.shape = shape;
        this.heads = shape.heads();
        this.read = read;
        this.chunk = Math.min(GraphOps.CHUNK, tokens);
        this.chunks = (tokens + chunk - 1) / chunk;
    }

    Ops.Delta<SDVariable> apply(SDVariable weights, SDVariable keys, SDVariable queries, SDVariable values,
            SDVariable rates, Optional<SDVariable> decays) {
        int width = shape.keyWidth();
        SDVariable k = chunked(everyHead(keys), width); // [N B H, C, dk]
        SDVariable q = chunked(everyHead(queries), width);
        SDVariable v = chunked(values, shape.valueWidth()); // [N B H, C, dv]
        SDVariable eta = chunked(rates, 1); // [N B H, C, 1]
        Optional<Fading> fading = decays.map(this::fading);
        SDVariable scaledKeys = math.scaleTokens(k, eta, width);
        SDVariable solvedKeys = fading.map(f -> math.scaleTokens(scaledKeys, f.fromStart(), width)).orElse(scaledKeys);
        SDVariable solvedValues = math.scaleTokens(v, eta, shape.valueWidth());
        SDVariable answers = lower(math.matMul(q, false, k, true), read == Read.AFTER, fading);
        if (chunk > 1) {
            SDVariable a = lower(math.matMul(scaledKeys, false, k, true), false, fading);
            SDVariable inverse = math.inverseOfUnitLower(a, chunk);
            solvedKeys = math.matMul(inverse, false, solvedKeys, false);
            solvedValues = math.matMul(inverse, false, solvedValues, false);
        }
        SDVariable asked = fading.map(f -> math.scaleTokens(q, f.fromStart(), width)).orElse(q);
        SDVariable stored = fading.map(f -> math.scaleTokens(k, f.toEnd(), width)).orElse(k);
        return recur(weights, new Parts(split(stored), split(asked), split(solvedKeys), split(solvedValues),
                split(answers), fading.map(f -> split(f.whole()))));
    }

    private SDVariable lower(SDVariable products, boolean diagonal, Optional<Fading> fading) {
        SDVariable masked = math.mask(products, math.lowerMask(chunk, diagonal));
        return fading.map(f -> math.multiply(masked, f.between())).orElse(masked);
    }

    /** What is left of W within a chunk.
     *
     * @param fromStart c_t [N B H, C, 1]: of the chunk's first W at token t
     * @param between   D_ts [N B H, C, C]: at token t of what token s <= t wrote; 0 above the diagonal
     * @param toEnd     D_Cs [N B H, C, 1]: at the chunk's end of what token s wrote
     * @param whole     c_C [N B H, 1, 1]: at the chunk's end of its first W */
    private record Fading(SDVariable fromStart, SDVariable between, SDVariable toEnd, SDVariable whole) {}

    private Fading fading(SDVariable decays) {
        long matrices = chunks * streams();
        SDVariable logs = chunked(math.log(decays), 1).reshape(matrices, chunk);
        SDVariable sums = math.matMul(logs, false, math.lowerMask(chunk, true), true); // [N B H, C]
        SDVariable fromStart = graph.math.exp(sums).reshape(matrices, chunk, 1);
        SDVariable between = math.ratios(sums, matrices, chunk);
        SDVariable toEnd = math.slice(between, (int) matrices, chunk - 1, 1, chunk, chunk).reshape(matrices, chunk, 1);
        SDVariable whole = math.slice(fromStart, (int) matrices, chunk - 1, 1, chunk, 1);
        return new Fading(fromStart, between, toEnd, whole);
    }

    /** [B T, G dk] -> [B T, H dk]: a row of keys or queries for every head of values. */
    private SDVariable everyHead(SDVariable rows) {
        int times = shape.heads() / shape.keyHeads();
        return times == 1
                ? rows
                : math.repeat(rows.reshape((long) batch * tokens * shape.keyHeads(), 1, shape.keyWidth()), times)
                        .reshape((long) batch * tokens, (long) heads * shape.keyWidth());
    }

    private record Parts(SDVariable[] k, SDVariable[] q, SDVariable[] solvedKeys, SDVariable[] solvedValues,
            SDVariable[] answers, Optional<SDVariable[]> kept) {}

    private Ops.Delta<SDVariable> recur(SDVariable weights, Parts parts) {
        SDVariable state = weights.permute(0, 1, 3, 2).reshape(streams(), shape.keyWidth(), shape.valueWidth()); // S = W^T
        SDVariable[] outputs = new SDVariable[chunks];
        for (int n = 0; n < chunks; n++) {
            SDVariable u = parts.solvedValues[n].sub(math.matMul(parts.solvedKeys[n], false, state, false));
            outputs[n] = math.matMul(parts.q[n], false, state, false)
                    .add(math.matMul(parts.answers[n], false, u, false));
            SDVariable kept = parts.kept.isPresent()
                    ? math.scaleMatrices(state, parts.kept.get()[n], (long) shape.keyWidth() * shape.valueWidth())
                    : state;
            state = kept.add(math.matMul(parts.k[n], true, u, false));
        }
        SDVariable after = state.reshape(batch, heads, shape.keyWidth(), shape.valueWidth()).permute(0, 1, 3, 2);
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

    /** [N B H, C, dv] -> [B T, H dv]. */
    private SDVariable unchunked(SDVariable x) {
        int width = shape.valueWidth();
        SDVariable rows = x.reshape(chunks, batch, heads, chunk, width).permute(1, 0, 3, 2, 4).reshape(batch,
                (long) chunks * chunk, (long) heads * width);
        SDVariable cut = chunks * chunk == tokens
                ? rows
                : math.slice(rows, batch, 0, tokens, chunks * chunk, heads * width);
        return cut.reshape((long) batch * tokens, (long) heads * width);
    }
}
