package io.github.bitttt.nn;

import java.util.Optional;

/**
 * The instruction set of a model: a layer says its mathematics over it once, and every reading follows.
 *
 * <p>A value is a matrix of rows, one row a token. The primitive instructions are defined by the plain loops of
 * {@code nn.naive}; the composite ones are default methods, whose body is their meaning and which a reading may override
 * for speed, with a parity test. There is no silent broadcasting: {@code add} takes equal shapes.
 *
 * @param <T> the reading's value: rows of doubles, of floats, or a SameDiff variable
 */
public interface Ops<T> {

    /** Rows of a table: y_t = table[ids_t].
     *
     * @param table [V, D]
     * @param ids   [n], as the reading makes them
     * @return [n, D] */
    T embed(Param table, TokenIds<T> ids);

    /** Root-mean-square norm of each row, see {@link RmsNorm}.
     *
     * @param norm gain and epsilon
     * @param x    [n, D]
     * @return [n, D] */
    T rmsNorm(RmsNorm norm, T x);

    /** A ternary projection of each row, see {@link BitLinear}. Its own norm, if it has one, was taken before.
     *
     * @param layer [out, in] and its rounding
     * @param x     [n, in]
     * @return [n, out] */
    T bitLinear(BitLinear layer, T x);

    /** A float projection of each row: y = x weight^T + bias. The head.
     *
     * @param weight [out, in]
     * @param bias   [out], if there is one
     * @param x      [n, in]
     * @return [n, out] */
    T linear(Param weight, Optional<Param> bias, T x);

    /** x + y, equal shapes.
     *
     * @param x [n, D]
     * @param y [n, D]
     * @return [n, D] */
    T add(T x, T y);

    /** Dropout (Srivastava and others, JMLR 15, 2014): what training leaves out at random, so that no element is relied on alone.
     * Every other reading gives the value back as it is.
     *
     * @param x [n, D]
     * @return x, or in training each element either 0 or divided by the share that is kept */
    default T dropout(T x) {
        return x;
    }

    /** silu(gate) * up, element by element; silu(a) = a / (1 + exp(-a)).
     *
     * @param gate [n, F]
     * @param up   [n, F]
     * @return [n, F] */
    T siluMultiply(T gate, T up);

    /** max(gate, 0)^2 * up, element by element.
     *
     * @param gate [n, F]
     * @param up   [n, F]
     * @return [n, F] */
    T reluSquaredMultiply(T gate, T up);

    /** Each row mixed with the row before it: c_t = x_t + mu * (x_{t-1} - x_t).
     *
     * @param mu       [D]
     * @param previous the row before the first, [D] for each stream
     * @param x        [n, D]
     * @return [n, D] */
    T tokenShift(Param mu, T previous, T x);

    /** Each head of each row divided by its length: f / (||f|| + 1e-6).
     *
     * @param heads H, a divisor of M
     * @param f     [n, M]
     * @return [n, M] */
    T normalizeHeads(int heads, T f);

    /** Rows moved down by one: the first comes from outside, the last falls away.
     *
     * @param first [M] for each stream
     * @param rows  [n, M]
     * @return [n, M] */
    T moveDown(T first, T rows);

    /** The inner rate of every token and head; a learned decay has the same form.
     *
     * @param rate  learned or constant
     * @param heads H
     * @param x     [n, D]
     * @return [n, H] */
    T innerRate(InnerRate rate, int heads, T x);

    /** The delta rule over all rows, one head at a time: W = gamma_t W, e = v_t - W k_t, W += eta_t e k_t^T, and the answer is W q_t,
     * before or after that sum. See {@link TttLayer}, whose query is the value, and {@link GatedDelta}.
     *
     * @param shape   heads and widths
     * @param read    before or after the update
     * @param weights W [H, dv, dk] for each stream; spent by this call
     * @param keys    [n, G dk]
     * @param queries [n, G dk]
     * @param values  [n, H dv]
     * @param rates   eta [n, H]
     * @param decays  gamma [n, H]; without them 1
     * @return answers [n, H dv] and W after the last row */
    Delta<T> delta(DeltaShape shape, Read read, T weights, T keys, T queries, T values, T rates, Optional<T> decays);

    /** A causal convolution of each column by itself, and silu: c_t = silu(sum over j of kernel_j u_{t-k+1+j}).
     *
     * @param kernel [C, k]; the last tap is that of the row itself
     * @param tail   the k - 1 rows before the first, [(k - 1) C] for each stream
     * @param rows   u [n, C]
     * @return [n, C] */
    T convolve(Param kernel, T tail, T rows);

    /** The rows that the next convolution needs: the last of tail and rows, one after another.
     *
     * @param count k - 1
     * @param tail  as {@link #convolve} took it; spent by this call
     * @param rows  [n, C]
     * @return [(k - 1) C] for each stream */
    T tail(int count, T tail, T rows);

    /** Some columns.
     *
     * @param x    [n, D]
     * @param from first
     * @param to   after the last
     * @return [n, to - from] */
    T columns(T x, int from, int to);

    /** Each head of each row brought to a length: y = length f / sqrt(f.f + 1e-6).
     *
     * @param heads  a divisor of the width
     * @param length of a head, unless it is nearly zero
     * @param f      [n, M]
     * @return [n, M] */
    T unitHeads(int heads, double length, T f);

    /** How much of a memory is kept: gamma = exp(-exp(A) softplus(x + a)), softplus(z) = log(1 + exp(z)).
     *
     * @param decay A and a [H]; its weight is not read
     * @param x     [n, H]
     * @return [n, H], in (0, 1) */
    T fade(GatedDelta.Decay decay, T x);

    /** 1 / (1 + exp(-x)), element by element.
     *
     * @param x [n, D]
     * @return [n, D] */
    T sigmoid(T x);

    /** x y, element by element, equal shapes.
     *
     * @param x [n, D]
     * @param y [n, D]
     * @return [n, D] */
    T multiply(T x, T y);

    /** H (s x), see {@link Hadamard}.
     *
     * @param rotation signs [D] and block
     * @param x        [n, D]
     * @return [n, D] */
    T rotate(Hadamard rotation, T x);

    /** The inverse: s (H x), see {@link Hadamard}.
     *
     * @param rotation signs [D] and block
     * @param x        [n, D]
     * @return [n, D] */
    T rotateBack(Hadamard rotation, T x);

    /** A layer of experts, see {@link Experts}.
     *
     * @param layer router and experts
     * @param x     [n, D]
     * @return [n, D] */
    T experts(Experts layer, T x);

    /** Causal attention over all rows and what was read before, see {@link Attention}: queries and keys are turned by their
     * positions, which go on from those of the cache.
     *
     * @param layer   heads and rotary positions
     * @param cache   turned keys and values so far; spent by this call
     * @param queries [n, H d]
     * @param keys    [n, G d]
     * @param values  [n, G d]
     * @return answers [n, H d] and the cache after the last row */
    Mixed<T> attend(Attention layer, KvCache<T> cache, T queries, T keys, T values);

    /** The last row of each stream.
     *
     * @param rows [n, D]
     * @return [D] for each stream */
    T lastRow(T rows);

    /** A mixer's answer and successor as one value; a reading may give the same object again for the same two.
     *
     * @param output y
     * @param state  the state's successor
     * @return both */
    default Mixed<T> mixed(T output, MixerState<T> state) {
        return new Mixed<>(output, state);
    }

    /** What the delta rule gives back.
     *
     * @param <T>     the reading's value
     * @param answers [n, H dv]
     * @param weights W after the last row */
    record Delta<T>(T answers, T weights) {}

    /** Composite: act(gate x) * (up x), two projections of one input.
     *
     * @param mlp gate and up [F, D], and the activation
     * @param x   [n, D]
     * @return [n, F] */
    default T gated(GatedMlp mlp, T x) {
        return activate(mlp.activation(), mlp.gate().forward(this, x), mlp.up().forward(this, x));
    }

    /** Composite: act(gate) * up, element by element.
     *
     * @param activation act
     * @param gate       [n, F]
     * @param up         [n, F]
     * @return [n, F] */
    default T activate(Activation activation, T gate, T up) {
        return switch (activation) {
            case SILU -> siluMultiply(gate, up);
            case RELU_SQUARED -> reluSquaredMultiply(gate, up);
        };
    }

    /** Composite: an attention layer over all rows.
     *
     * @param layer the layer
     * @param cache what was read so far; spent by this call
     * @param x     [n, D], normed
     * @return y [n, D] and the cache after the last row */
    default Mixed<T> attention(Attention layer, KvCache<T> cache, T x) {
        return attended(layer, cache, x, layer.query().forward(this, x), layer.key().forward(this, x),
                layer.value().forward(this, x));
    }

    /** Composite: an attention layer from its projections on.
     *
     * @param layer   the layer
     * @param cache   what was read so far; spent by this call
     * @param x       [n, D], normed
     * @param queries [n, H d]
     * @param keys    [n, G d]
     * @param values  [n, G d]
     * @return y [n, D] and the cache after the last row */
    default Mixed<T> attended(Attention layer, KvCache<T> cache, T x, T queries, T keys, T values) {
        boolean normed = layer.headNorms().isPresent();
        Mixed<T> attended = attend(layer, cache,
                normed ? layer.headNorms().get().query().forward(this, queries) : queries,
                normed ? layer.headNorms().get().key().forward(this, keys) : keys, values);
        return mixed(attentionOutput(layer, x, attended.output()), attended.state());
    }

    /** Composite: what an attention layer makes of the answers of its heads.
     *
     * @param layer   the layer
     * @param x       [n, D], normed
     * @param answers [n, H d]
     * @return y [n, D] */
    default T attentionOutput(Attention layer, T x, T answers) {
        T passed = layer.gate().isPresent()
                ? multiply(answers, sigmoid(layer.gate().get().forward(this, x)))
                : answers;
        return layer.output().forward(this,
                layer.subNorm().isPresent() ? layer.subNorm().get().forward(this, passed) : passed);
    }

    /** Composite: a gated delta layer over all rows.
     *
     * @param layer  the layer
     * @param memory what is known so far; spent by this call
     * @param x      [n, D], normed
     * @return y [n, D] and the memory after the last row */
    default Mixed<T> gatedDelta(GatedDelta layer, GatedDeltaState<T> memory, T x) {
        DeltaShape shape = layer.shape();
        int keys = shape.keys();
        T read = layer.input().forward(this, x); // u [n, C]
        T mixed = convolve(layer.kernel(), memory.tail(), read);
        T queries = unitHeads(shape.keyHeads(), 1 / Math.sqrt(shape.keyWidth()), columns(mixed, 0, keys));
        T seen = unitHeads(shape.keyHeads(), 1, columns(mixed, keys, 2 * keys)); // k
        T values = columns(mixed, 2 * keys, layer.channels());
        T rates = sigmoid(linear(layer.rate(), Optional.empty(), x)); // eta [n, H]
        T decays = fade(layer.decay(), linear(layer.decay().weight(), Optional.empty(), x)); // gamma [n, H]
        T tail = tail(layer.kernel().columns() - 1, memory.tail(), read);
        Delta<T> delta = delta(shape, Read.AFTER, memory.weights(), seen, queries, values, rates, Optional.of(decays));
        return mixed(deltaOutput(layer, x, delta.answers()), new GatedDeltaState<>(delta.weights(), tail));
    }

    /** Composite: what a gated delta layer makes of the answers of its heads.
     *
     * @param layer   the layer
     * @param x       [n, D], normed
     * @param answers [n, H dv]
     * @return y [n, D] */
    default T deltaOutput(GatedDelta layer, T x, T answers) {
        return layer.output().forward(this,
                siluMultiply(layer.gate().forward(this, x), layer.norm().forward(this, answers)));
    }

    /** Composite: a TTT layer over all rows.
     *
     * @param layer  the layer
     * @param memory what is known so far; spent by this call
     * @param x      [n, D], normed
     * @return y [n, D] and the memory after the last row */
    default Mixed<T> ttt(TttLayer layer, TttState<T> memory, T x) {
        T shifted = layer.shift().map(mu -> tokenShift(mu, memory.previous(), x)).orElse(x); // c [n, D]
        T features = normalizeHeads(layer.heads(), layer.down().forward(this, shifted)); // f [n, M]
        T keys = layer.objective() == Objective.PREDICT_NEXT ? moveDown(memory.feature(), features) : features;
        T rates = innerRate(layer.innerRate(), layer.heads(), x); // eta [n, H]
        Optional<T> decays = layer.decay().map(gate -> innerRate(gate, layer.heads(), x)); // gamma [n, H]
        T lastInput = lastRow(x);
        T lastFeature = lastRow(features);
        Delta<T> delta = delta(DeltaShape.square(layer.heads(), layer.headWidth()), layer.read(), memory.weights(),
                keys,
                features, features, rates, decays);
        T y = layer.up().forward(this, delta.answers());
        return mixed(y, new TttState<>(delta.weights(), lastInput, lastFeature));
    }
}
