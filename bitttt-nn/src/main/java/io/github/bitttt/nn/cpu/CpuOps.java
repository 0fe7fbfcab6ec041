package io.github.bitttt.nn.cpu;

import io.github.bitttt.nn.Attention;
import io.github.bitttt.nn.BitLinear;
import io.github.bitttt.nn.DeltaShape;
import io.github.bitttt.nn.Experts;
import io.github.bitttt.nn.GatedDelta;
import io.github.bitttt.nn.GatedDeltaState;
import io.github.bitttt.nn.GatedMlp;
import io.github.bitttt.nn.InnerRate;
import io.github.bitttt.nn.KvCache;
import io.github.bitttt.nn.Mixed;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.Objective;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Read;
import io.github.bitttt.nn.StatePart;
import io.github.bitttt.nn.TokenIds;
import io.github.bitttt.nn.TttLayer;
import io.github.bitttt.nn.TttState;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.tensor.FloatOps;
import io.github.bitttt.tensor.Int8Matrix;
import io.github.bitttt.tensor.RoundedRows;
import io.github.bitttt.tensor.TernaryMatrix;
import io.github.bitttt.tensor.TokenRows;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The instructions on a CPU: int8 rows times ternary codes by additions, memories in place.
 *
 * <p>Values are buffers that are handed out in order and used again after {@link #reset}; so a pass over as many rows as the
 * one before allocates nothing. One stream; for one thread. Weights are shared by any number of these.
 */
public final class CpuOps extends RowOps {
    // Rows that are rounded together. Of a narrow layer: as many as a kernel multiplies at once, so that their tables stay in the nearest
    // cache. Of a wide one more, for its weights come from memory each time: 32 took 0.7 of the time of 4 at a width of 2560.
    private static final int TOGETHER = 4;
    private static final int TOGETHER_WIDE = 32;
    private static final int WIDE = 1024;

    private final Tokens tokens = new Tokens();
    private final CausalAttention attending = new CausalAttention();
    private final ChosenExperts chosen = new ChosenExperts();
    private final Map<TttLayer, DeltaShape> shapes = new IdentityHashMap<>();
    private final List<RoundedRows> rounded = new ArrayList<>();
    // What was given back with each buffer last.
    private final Map<Rows, Mixed<Rows>> mixed = new IdentityHashMap<>();

    /** The CPU reading of a model.
     *
     * @param weights frozen or packed: projections as ternary codes */
    public CpuOps(Weights weights) {
        super(weights);
        for (Param param : weights.params()) {
            if (param.kind() == Param.Kind.TERNARY && !(weights.get(param) instanceof Weight.Ternary)) {
                throw new IllegalArgumentException(
                        param + ": the CPU reading takes ternary codes; freeze the masters first");
            }
        }
    }

    /** Token ids.
     *
     * @param ids  holds them; not to be written to before the pass is over
     * @param from first
     * @param to   after the last
     * @return what {@link #embed} takes, until the next call */
    public TokenIds<Rows> tokens(int[] ids, int from, int to) {
        return tokens.of(ids, from, to);
    }

    /** One token id.
     *
     * @param id the token
     * @return what {@link #embed} takes, until the next call */
    public TokenIds<Rows> token(int id) {
        return tokens.of(id);
    }

    /** A part of a state before the first token: {@code mixer.state(CpuOps::empty)}.
     *
     * @param part of a mixer
     * @return zeros, or no rows */
    public static Rows empty(StatePart part) {
        int numbers = Math.toIntExact(part.numbers());
        return switch (part.kind()) {
            case MATRICES -> Rows.memory(part.shape().get(0), part.shape().get(1), part.shape().get(2));
            case ROW, UNIT_HEADS -> Rows.zeros(1, numbers);
            case GROWING -> Rows.growing(numbers, false);
            case GROWING_KEYS -> Rows.growing(numbers, true);
        };
    }

    /** A state in the order of files: matrices [H, d, d] by rows.
     *
     * @param state in place
     * @return copies */
    public static MixerState<float[]> export(MixerState<Rows> state) {
        return state.map(Rows::toArray);
    }

    /** Overwrites a state.
     *
     * @param from  of the same mixer, in the order of files
     * @param state in place */
    public static void restore(MixerState<float[]> from, MixerState<Rows> state) {
        for (int i = 0; i < state.parts().size(); i++) {
            state.parts().get(i).set(from.parts().get(i));
        }
    }

    /** Forgets everything.
     *
     * @param state in place */
    public static void clear(MixerState<Rows> state) {
        state.parts().forEach(Rows::clear);
    }

    /** How many tokens attention keeps.
     *
     * @param cache of a layer
     * @return from 0 */
    public static int tokens(KvCache<Rows> cache) {
        return cache.keys().rows();
    }

    /** Takes the last tokens away from what attention keeps: the next one is read behind those that stay.
     *
     * @param cache of a layer, in place
     * @param tokens that stay, at most as many as there are */
    public static void truncate(KvCache<Rows> cache, int tokens) {
        cache.keys().tokens().truncate(tokens);
        cache.values().tokens().truncate(tokens);
    }

    /** Takes the {@value TokenRows#BLOCK} oldest tokens behind the first few away from what attention keeps. The tokens behind them move up:
     * their keys are turned back, so that positions are those in the cache.
     *
     * @param layer whose cache it is
     * @param cache in place
     * @param first tokens that stay in front, see {@link TokenRows#drop} */
    public static void slide(Attention layer, KvCache<Rows> cache, int first) {
        cache.values().tokens().drop(first);
        cache.keys().tokens().drop(first);
        int width = layer.headWidth();
        float[] cos = new float[layer.rotary().turned(width) / 2];
        float[] sin = new float[cos.length];
        for (int pair = 0; pair < cos.length; pair++) {
            double angle = -TokenRows.BLOCK * layer.rotary().frequency(pair, width);
            cos[pair] = (float) Math.cos(angle);
            sin[pair] = (float) Math.sin(angle);
        }
        cache.keys().tokens().turn(first, width, cos, sin);
    }

    private TernaryMatrix ternary(Param param) {
        return ((Weight.Ternary) weight(param)).matrix();
    }

    @Override
    public Rows embed(Param table, TokenIds<Rows> ids) {
        int width = table.columns();
        Tokens read = (Tokens) ids;
        Rows y = take(read.count(), width);
        for (int t = 0; t < read.count(); t++) {
            int row = read.id(t);
            switch (weight(table)) {
                case Weight.Floats(float[] values) ->
                    System.arraycopy(values, row * width, y.values(), t * width, width);
                case Weight.Int8Rows(Int8Matrix matrix) -> matrix.row(row, y.values(), t * width);
                case Weight.Ternary _ -> throw new IllegalArgumentException(table + ": is ternary");
            }
        }
        return y;
    }

    @Override
    public Rows bitLinear(BitLinear layer, Rows x) {
        if (!layer.quantization().roundActivations()) {
            return projectFloats(layer, x);
        }
        Rows y = take(x.rows(), layer.out());
        RoundedRows rounded = roundedRows(x.columns());
        TernaryMatrix matrix = ternary(layer.weight());
        for (int from = 0; from < x.rows(); from += together(x)) {
            rounded.round(x.values(), from * x.columns(), Math.min(together(x), x.rows() - from));
            matrix.matMul(rounded, y.values(), from * layer.out());
        }
        return y;
    }

    private static int together(Rows x) {
        return x.columns() < WIDE ? TOGETHER : TOGETHER_WIDE;
    }

    /** The buffer of a width: there are three or four in a model, and a map would box the key. */
    private RoundedRows roundedRows(int columns) {
        for (int i = 0; i < rounded.size(); i++) {
            if (rounded.get(i).columns() == columns) {
                return rounded.get(i);
            }
        }
        RoundedRows rows = new RoundedRows(columns);
        rounded.add(rows);
        return rows;
    }

    private Rows projectFloats(BitLinear layer, Rows x) {
        Rows y = take(x.rows(), layer.out());
        ternary(layer.weight()).matMul(x.values(), x.rows(), y.values());
        return y;
    }

    /** Overrides the composite: one rounding and one set of tables for both projections. */
    @Override
    public Rows gated(GatedMlp mlp, Rows x) {
        if (!shareRounding(mlp.gate(), mlp.up())) {
            return super.gated(mlp, x);
        }
        Rows in = rotated(mlp.gate(), x);
        Rows gates = take(x.rows(), mlp.gate().out());
        Rows ups = take(x.rows(), mlp.up().out());
        RoundedRows shared = roundedRows(x.columns());
        TernaryMatrix gateMatrix = ternary(mlp.gate().weight());
        TernaryMatrix upMatrix = ternary(mlp.up().weight());
        for (int from = 0; from < x.rows(); from += together(x)) {
            shared.round(in.values(), from * x.columns(), Math.min(together(x), x.rows() - from));
            gateMatrix.matMul(shared, gates.values(), from * gates.columns());
            upMatrix.matMul(shared, ups.values(), from * ups.columns());
        }
        return activate(mlp.activation(), gates, ups);
    }

    /** Overrides the composite: one rounding and one set of tables for queries, keys and values. */
    @Override
    public Mixed<Rows> attention(Attention layer, KvCache<Rows> cache, Rows x) {
        if (!shareRounding(layer.query(), layer.key()) || !shareRounding(layer.query(), layer.value())) {
            return super.attention(layer, cache, x);
        }
        Rows in = rotated(layer.query(), x);
        Rows queries = take(x.rows(), layer.query().out());
        Rows keys = take(x.rows(), layer.key().out());
        Rows values = take(x.rows(), layer.value().out());
        RoundedRows shared = roundedRows(x.columns());
        TernaryMatrix queryMatrix = ternary(layer.query().weight());
        TernaryMatrix keyMatrix = ternary(layer.key().weight());
        TernaryMatrix valueMatrix = ternary(layer.value().weight());
        for (int from = 0; from < x.rows(); from += together(x)) {
            shared.round(in.values(), from * x.columns(), Math.min(together(x), x.rows() - from));
            queryMatrix.matMul(shared, queries.values(), from * queries.columns());
            keyMatrix.matMul(shared, keys.values(), from * keys.columns());
            valueMatrix.matMul(shared, values.values(), from * values.columns());
        }
        return attended(layer, cache, x, queries, keys, values);
    }

    /** Whether two projections of one input can take it in one rounded form. */
    private static boolean shareRounding(BitLinear one, BitLinear other) {
        return one.quantization().roundActivations() && one.quantization().equals(other.quantization())
                && one.norm().isEmpty() && other.norm().isEmpty() && one.rotation().equals(other.rotation());
    }

    /** What a projection without a norm rounds. */
    private Rows rotated(BitLinear layer, Rows x) {
        return layer.rotation().isPresent() ? rotate(layer.rotation().get(), x) : x;
    }

    @Override
    public Rows linear(Param weight, Optional<Param> bias, Rows x) {
        int out = weight.rows();
        Rows y = take(x.rows(), out);
        switch (weight(weight)) {
            case Weight.Floats(float[] values) -> {
                for (int t = 0; t < x.rows(); t++) {
                    FloatOps.matVec(values, out, x.values(), t * x.columns(), x.columns(), y.values(), t * out);
                }
            }
            case Weight.Int8Rows(Int8Matrix matrix) -> matrix.matMul(x.values(), x.rows(), y.values());
            case Weight.Ternary _ -> throw new IllegalArgumentException(weight + ": is ternary");
        }
        if (bias.isPresent()) {
            float[] offsets = floats(bias.get());
            for (int i = 0; i < x.rows() * out; i++) {
                y.values()[i] += offsets[i % out];
            }
        }
        return y;
    }

    @Override
    public Rows innerRate(InnerRate rate, int heads, Rows x) {
        return switch (rate) {
            case InnerRate.Learned learned -> {
                Rows y = take(x.rows(), heads);
                float[] bias = floats(learned.bias());
                for (int t = 0; t < x.rows(); t++) {
                    FloatOps.matVec(floats(learned.weight()), heads, x.values(), t * x.columns(), x.columns(),
                            y.values(),
                            t * heads);
                    for (int head = 0; head < heads; head++) {
                        int at = t * heads + head;
                        y.values()[at] = (float) (1 / (1 + Math.exp(-(y.values()[at] + bias[head]))));
                    }
                }
                yield y;
            }
            case InnerRate.Constant(double value) -> {
                Rows y = take(x.rows(), heads);
                Arrays.fill(y.values(), 0, x.rows() * heads, (float) value);
                yield y;
            }
        };
    }

    @Override
    public Delta<Rows> delta(DeltaShape shape, Read read, Rows memory, Rows keys, Rows queries, Rows values, Rows rates,
            Optional<Rows> decays) {
        Rows answers = take(keys.rows(), shape.values());
        DeltaSteps.learn(shape, read, memory, keys, 0, queries, 0, values, 0, rates, decays.orElse(null), answers);
        return new Delta<>(answers, memory);
    }

    @Override
    public Rows experts(Experts layer, Rows x) {
        Rows scores = linear(layer.router(), Optional.empty(), x);
        Rows shares = sigmoid(linear(layer.sharedGate(), Optional.empty(), x));
        Rows y = take(x.rows(), x.columns());
        Rows shared = layer.shared().forward(this, x);
        Rows row = take(1, x.columns());
        for (int t = 0; t < x.rows(); t++) {
            int at = t * x.columns();
            for (int i = 0; i < x.columns(); i++) {
                y.values()[at + i] = shares.values()[t] * shared.values()[at + i];
            }
            System.arraycopy(x.values(), at, row.values(), 0, x.columns());
            chosen.choose(layer, scores.values(), t * scores.columns());
            for (int k = 0; k < layer.chosen(); k++) {
                Rows answer = layer.experts().get(chosen.expert(k)).forward(this, row);
                FloatOps.addScaled(chosen.weight(k), answer.values(), 0, y.values(), at, x.columns());
            }
        }
        return y;
    }

    /** Overrides the composite, step by step the same, in place; queries, keys and values are read where the convolution wrote them. */
    @Override
    public Mixed<Rows> gatedDelta(GatedDelta layer, GatedDeltaState<Rows> memory, Rows x) {
        DeltaShape shape = layer.shape();
        int keys = shape.keys();
        Rows read = layer.input().forward(this, x);
        Rows mixed = convolve(layer.kernel(), memory.tail(), read);
        DeltaSteps.unitHeads(mixed, 0, shape.keyHeads(), shape.keyWidth(), 1 / Math.sqrt(shape.keyWidth()));
        DeltaSteps.unitHeads(mixed, keys, shape.keyHeads(), shape.keyWidth(), 1);
        Rows rates = sigmoid(linear(layer.rate(), Optional.empty(), x));
        Rows decays = fade(layer.decay(), linear(layer.decay().weight(), Optional.empty(), x));
        Rows answers = take(x.rows(), shape.values());
        DeltaSteps.learn(shape, Read.AFTER, memory.weights(), mixed, keys, mixed, 0, mixed, 2 * keys, rates, decays,
                answers);
        Convolution.moveTail(layer.kernel().columns() - 1, memory.tail(), read);
        return mixed(deltaOutput(layer, x, answers), memory);
    }

    @Override
    public Mixed<Rows> attend(Attention layer, KvCache<Rows> cache, Rows queries, Rows keys, Rows values) {
        Rows answers = take(queries.rows(), queries.columns());
        attending.attend(layer, cache, queries, keys, values, answers);
        return mixed(answers, cache);
    }

    /** Overrides the composite, step by step the same: here the state is changed in place, so that a token allocates nothing
     * (an {@code Optional}, a {@code Delta} and a state for each layer). {@code ThreeWaysParityTest} holds the two equal to the bit. */
    @Override
    public Mixed<Rows> ttt(TttLayer layer, TttState<Rows> memory, Rows x) {
        Rows shifted = layer.shift().isPresent() ? tokenShift(layer.shift().get(), memory.previous(), x) : x;
        Rows features = normalizeHeads(layer.heads(), layer.down().forward(this, shifted));
        Rows keys = layer.objective() == Objective.PREDICT_NEXT ? moveDown(memory.feature(), features) : features;
        Rows rates = innerRate(layer.innerRate(), layer.heads(), x);
        Rows decays = layer.decay().isPresent() ? innerRate(layer.decay().get(), layer.heads(), x) : null;
        Rows answers = take(x.rows(), layer.memoryWidth());
        DeltaSteps.learn(shape(layer), layer.read(), memory.weights(), keys, 0, features, 0, features, 0, rates, decays,
                answers);
        copyLast(x, memory.previous());
        copyLast(features, memory.feature());
        Rows y = layer.up().forward(this, answers);
        return mixed(y, memory);
    }

    /** Made once for each layer. */
    private DeltaShape shape(TttLayer layer) {
        DeltaShape known = shapes.get(layer);
        if (known == null) {
            known = DeltaShape.square(layer.heads(), layer.headWidth());
            shapes.put(layer, known);
        }
        return known;
    }

    /** Overrides the composite: the same pair is the same object, token after token. */
    @Override
    public Mixed<Rows> mixed(Rows output, MixerState<Rows> state) {
        Mixed<Rows> known = mixed.get(output);
        if (known == null || known.state() != state) {
            known = new Mixed<>(output, state);
            mixed.put(output, known);
        }
        return known;
    }

    private static void copyLast(Rows rows, Rows into) {
        System.arraycopy(rows.values(), (rows.rows() - 1) * rows.columns(), into.values(), 0, rows.columns());
    }
}
