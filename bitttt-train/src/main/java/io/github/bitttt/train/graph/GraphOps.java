package io.github.bitttt.train.graph;

import io.github.bitttt.nn.Attention;
import io.github.bitttt.nn.BitLinear;
import io.github.bitttt.nn.DeltaShape;
import io.github.bitttt.nn.Experts;
import io.github.bitttt.nn.GatedDelta;
import io.github.bitttt.nn.Hadamard;
import io.github.bitttt.nn.GatedMlp;
import io.github.bitttt.nn.InnerRate;
import io.github.bitttt.nn.KvCache;
import io.github.bitttt.nn.Mixed;
import io.github.bitttt.nn.Ops;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Read;
import io.github.bitttt.nn.RmsNorm;
import io.github.bitttt.nn.StatePart;
import io.github.bitttt.nn.TokenIds;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The instructions as SameDiff operations over a batch: rows are [B * T, D], all tokens of the first stream first.
 *
 * <p>Parameters become variables of the graph under their own names; a ternary one holds scale * code, which is computed
 * outside, so the gradient of that variable is, straight-through, the gradient of the float master.
 *
 * <p>Parts of states have B in front, such as [B, H, d, d] for the weights of a memory. The delta rule is computed exactly in
 * chunks of at most {@value #CHUNK} tokens.
 */
public final class GraphOps implements Ops<SDVariable> {
    /** Tokens of a chunk: larger ones are slower. */
    static final int CHUNK = 64;

    private final SameDiff graph;
    private final GradientRules rules = new GradientRules();
    private final GraphMath math;
    private final int batch;
    private final int tokens;
    private final Map<Param, SDVariable> variables = new LinkedHashMap<>();
    // SameDiff does not know the shapes of what it has not run yet.
    private final Map<String, Integer> widths = new HashMap<>();
    private final boolean dropping;
    private final List<SDVariable> dropouts = new ArrayList<>();

    private GraphOps(SameDiff graph, int batch, int tokens, boolean stock, boolean dropping) {
        if (batch < 1 || tokens < 1) {
            throw new IllegalArgumentException("batch and tokens must be at least 1, got " + batch + " and " + tokens);
        }
        this.graph = graph;
        this.batch = batch;
        this.tokens = tokens;
        this.math = new GraphMath(graph, rules, stock);
        this.dropping = dropping;
    }

    /** Records with hand-written derivatives where they are faster or righter: for {@link ReverseMode}.
     *
     * @param graph  that records
     * @param batch  B
     * @param tokens T
     * @return the instructions */
    public static GraphOps of(SameDiff graph, int batch, int tokens) {
        return new GraphOps(graph, batch, tokens, false, false);
    }

    /** Records as {@link #of} does, with {@linkplain #dropouts dropout}.
     *
     * @param graph  that records
     * @param batch  B
     * @param tokens T
     * @return the instructions */
    public static GraphOps dropping(SameDiff graph, int batch, int tokens) {
        return new GraphOps(graph, batch, tokens, false, true);
    }

    /** Records stock operations only, so that SameDiff's own machinery can differentiate, save and run the graph.
     *
     * @param graph  that records
     * @param batch  B
     * @param tokens T
     * @return the instructions */
    public static GraphOps stock(SameDiff graph, int batch, int tokens) {
        return new GraphOps(graph, batch, tokens, true, false);
    }

    /** The hand-written derivatives of what was recorded.
     *  @return none for stock graphs */
    public GradientRules rules() {
        return rules;
    }

    /** The variables of the parameters that were used so far.
     *  @return in the order of their use */
    public Map<Param, SDVariable> variables() {
        return variables;
    }

    /** Where elements are left out, in the order of the computation.
     *  @return placeholders [B * T, D] of the factors that elements are multiplied by */
    public List<SDVariable> dropouts() {
        return dropouts;
    }

    /** Token ids that are an input of the graph.
     *
     * @param name  of the placeholder
     * @return INT32 [B * T] */
    public GraphIds tokens(String name) {
        return new GraphIds(graph.placeHolder(name, DataType.INT32, rows()));
    }

    /** A part of a state that is an input of the graph.
     *
     * @param name what the placeholder's name begins with, before a dot and the part's name
     * @param part of a mixer; one that grows begins every window empty, so its placeholder is a number that nothing reads
     * @return placeholder [B, shape of the part] */
    public SDVariable input(String name, StatePart part) {
        long[] shape = part.grows()
                ? new long[]{1}
                : LongStream.concat(LongStream.of(batch), part.shape().stream().mapToLong(Integer::longValue))
                        .toArray();
        return graph.placeHolder(name + "." + part.name(), DataType.FLOAT, shape);
    }

    private long rows() {
        return (long) batch * tokens;
    }

    private SDVariable variable(Param param) {
        return variables.computeIfAbsent(param, _ -> graph.var(param.path(), DataType.FLOAT,
                param.shape().stream().mapToLong(Integer::longValue).toArray()));
    }

    @Override
    public SDVariable embed(Param table, TokenIds<SDVariable> ids) {
        return sized(math.gather(variable(table), ((GraphIds) ids).variable(), table.rows(), table.columns()),
                table.columns());
    }

    @Override
    public SDVariable rmsNorm(RmsNorm norm, SDVariable x) {
        int width = norm.gain().rows();
        int heads = width(x) / width;
        SDVariable rows = heads == 1 ? x : x.reshape(rows() * heads, width);
        SDVariable y = math.multiplyRows(math.rmsNormalize(rows, norm.epsilon(), width), variable(norm.gain()),
                rows() * heads, width);
        return sized(heads == 1 ? y : y.reshape(rows(), heads * width), heads * width);
    }

    @Override
    public SDVariable bitLinear(BitLinear layer, SDVariable x) {
        return project(layer, round(layer, x));
    }

    private SDVariable round(BitLinear layer, SDVariable x) {
        return layer.quantization().roundActivations() ? math.roundRows(x, layer.in()) : x;
    }

    private SDVariable project(BitLinear layer, SDVariable rounded) {
        return sized(math.matMul(rounded, false, variable(layer.weight()), true), layer.out());
    }

    /** Overrides the composite: one rounding for both. */
    @Override
    public SDVariable gated(GatedMlp mlp, SDVariable x) {
        BitLinear gate = mlp.gate();
        BitLinear up = mlp.up();
        if (!gate.quantization().equals(up.quantization()) || gate.norm().isPresent() || up.norm().isPresent()) {
            return Ops.super.gated(mlp, x);
        }
        SDVariable rounded = round(gate, x);
        return activate(mlp.activation(), project(gate, rounded), project(up, rounded));
    }

    @Override
    public SDVariable linear(Param weight, Optional<Param> bias, SDVariable x) {
        SDVariable y = math.matMul(x, false, variable(weight), true);
        return sized(bias.map(offset -> math.addRows(y, variable(offset), rows(), offset.rows())).orElse(y),
                weight.rows());
    }

    @Override
    public SDVariable add(SDVariable x, SDVariable y) {
        return sized(x.add(y), width(x));
    }

    @Override
    public SDVariable dropout(SDVariable x) {
        if (!dropping) {
            return x;
        }
        SDVariable factors = graph.placeHolder("dropout." + dropouts.size(), DataType.FLOAT, rows(), width(x));
        dropouts.add(factors);
        return sized(math.mask(x, factors), width(x));
    }

    @Override
    public SDVariable siluMultiply(SDVariable gate, SDVariable up) {
        return sized(math.siluMultiply(gate, up), width(gate));
    }

    @Override
    public SDVariable reluSquaredMultiply(SDVariable gate, SDVariable up) {
        return sized(math.reluSquaredMultiply(gate, up), width(gate));
    }

    @Override
    public SDVariable tokenShift(Param mu, SDVariable previous, SDVariable x) {
        SDVariable step = moveDown(previous, x).sub(x);
        return sized(x.add(math.multiplyRows(step, variable(mu), rows(), mu.rows())), mu.rows());
    }

    @Override
    public SDVariable normalizeHeads(int heads, SDVariable f) {
        int width = width(f);
        SDVariable y = math.normalize(f.reshape(rows() * heads, width / heads), width / heads);
        return sized(y.reshape(rows(), width), width);
    }

    @Override
    public SDVariable moveDown(SDVariable first, SDVariable rows) {
        int width = width(rows);
        SDVariable y = math.moveDown(first.reshape(batch, 1, width), rows.reshape(batch, tokens, width), batch, tokens,
                width);
        return sized(y.reshape(rows(), width), width);
    }

    private SDVariable sized(SDVariable rows, int width) {
        widths.put(rows.name(), width);
        return rows;
    }

    /** Input rows that this reading did not make itself.
     *
     * @param rows  [B * T, width]
     * @param width of each row
     * @return the same, with a width that is known */
    public SDVariable input(SDVariable rows, int width) {
        return sized(rows, width);
    }

    private int width(SDVariable rows) {
        Integer width = widths.get(rows.name());
        if (width == null) {
            throw new IllegalArgumentException(
                    "the width of " + rows.name() + " is not known; pass it through input()");
        }
        return width;
    }

    @Override
    public SDVariable innerRate(InnerRate rate, int heads, SDVariable x) {
        return switch (rate) {
            case InnerRate.Learned(Param weight, Param bias) ->
                math.sigmoid(linear(weight, Optional.of(bias), x));
            case InnerRate.Constant(double value) ->
                graph.constant(Nd4j.valueArrayOf(new long[]{rows(), heads}, value, DataType.FLOAT));
        };
    }

    @Override
    public Delta<SDVariable> delta(DeltaShape shape, Read read, SDVariable weights, SDVariable keys, SDVariable queries,
            SDVariable values, SDVariable rates, Optional<SDVariable> decays) {
        Delta<SDVariable> delta = new ChunkedDelta(graph, math, batch, tokens, shape, read).apply(weights, keys,
                queries,
                values, rates, decays);
        sized(delta.answers(), shape.values());
        return delta;
    }

    @Override
    public SDVariable convolve(Param kernel, SDVariable tail, SDVariable rows) {
        int count = kernel.columns();
        int width = kernel.rows();
        SDVariable all = withTail(count - 1, tail, rows, width);
        SDVariable taps = variable(kernel).reshape(width, count, 1);
        SDVariable sum = null;
        for (int tap = 0; tap < count; tap++) {
            SDVariable moved = math.slice(all, batch, tap, tokens, tokens + count - 1, width).reshape(rows(), width);
            SDVariable weights = math.slice(taps, width, tap, 1, count, 1).reshape(width);
            SDVariable part = math.multiplyRows(moved, weights, rows(), width);
            sum = sum == null ? part : sum.add(part);
        }
        return sized(math.multiply(sum, math.sigmoid(sum)), width);
    }

    @Override
    public SDVariable tail(int count, SDVariable tail, SDVariable rows) {
        int width = width(rows);
        return math.slice(withTail(count, tail, rows, width), batch, tokens, count, tokens + count, width).reshape(
                batch,
                (long) count * width);
    }

    /** [B, k - 1 + T, C]. */
    private SDVariable withTail(int count, SDVariable tail, SDVariable rows, int width) {
        return math.append(tail.reshape(batch, count, width), count, rows.reshape(batch, tokens, width), batch, tokens,
                width);
    }

    @Override
    public SDVariable columns(SDVariable x, int from, int to) {
        int width = width(x);
        SDVariable cut = math.slice(x.reshape(rows(), width, 1), Math.toIntExact(rows()), from, to - from, width, 1);
        return sized(cut.reshape(rows(), to - from), to - from);
    }

    @Override
    public SDVariable unitHeads(int heads, double length, SDVariable f) {
        int width = width(f);
        SDVariable y = math.unit(f.reshape(rows() * heads, width / heads), width / heads);
        return sized(y.reshape(rows(), width).mul(length), width);
    }

    @Override
    public SDVariable fade(GatedDelta.Decay decay, SDVariable x) {
        int heads = decay.offset().rows();
        SDVariable moved = math.addRows(x, variable(decay.offset()), rows(), heads);
        return sized(math.fade(moved, variable(decay.exponent()), rows(), heads), heads);
    }

    @Override
    public SDVariable sigmoid(SDVariable x) {
        return sized(math.sigmoid(x), width(x));
    }

    @Override
    public SDVariable multiply(SDVariable x, SDVariable y) {
        return sized(math.multiply(x, y), width(x));
    }

    @Override
    public SDVariable rotate(Hadamard rotation, SDVariable x) {
        throw new UnsupportedOperationException(rotation.signs() + ": models with rotated weights are not trained");
    }

    @Override
    public SDVariable rotateBack(Hadamard rotation, SDVariable x) {
        return rotate(rotation, x);
    }

    @Override
    public SDVariable experts(Experts layer, SDVariable x) {
        throw new UnsupportedOperationException(layer.router() + ": models with experts are not trained");
    }

    /** Over this window alone: the cache is neither read nor written. */
    @Override
    public Mixed<SDVariable> attend(Attention layer, KvCache<SDVariable> cache, SDVariable queries, SDVariable keys,
            SDVariable values) {
        SDVariable answers = new WindowAttention(graph, math, batch, tokens, layer).apply(queries, keys, values);
        return mixed(sized(answers, width(queries)), cache);
    }

    @Override
    public SDVariable lastRow(SDVariable rows) {
        int width = width(rows);
        return math.slice(rows.reshape(batch, tokens, width), batch, tokens - 1, 1, tokens, width).reshape(batch,
                width);
    }

    /** The head and the loss of next-token prediction, sum over t of weight_t * -log p(target_t), a piece of the rows at a time.
     *
     * @param head        [V, D]
     * @param bias        [V], if there is one
     * @param hidden      [B * T, D]
     * @param targetIndex placeholder INT32 [B * T, 2]: each token's row in its piece, and its target
     * @param weights     placeholder [B * T]; 1 / (B T) for each gives the mean
     * @return the loss, and every target's probability [B * T] */
    public Loss headLoss(Param head, Optional<Param> bias, SDVariable hidden, SDVariable targetIndex,
            SDVariable weights) {
        return new HeadLoss(graph, math, variable(head), bias.map(this::variable), head.rows(),
                Math.toIntExact(rows())).apply(hidden, targetIndex, weights);
    }

    /** A loss in the graph.
     *
     * @param value         the scalar
     * @param probabilities of the targets [B * T], from which the loss can be summed in double
     * @param pieceRows     rows of a piece */
    public record Loss(SDVariable value, SDVariable probabilities, int pieceRows) {}
}
