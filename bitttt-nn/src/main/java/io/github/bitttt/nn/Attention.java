package io.github.bitttt.nn;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Causal attention with rotary positions, in ternary projections. Several query heads may share a head of keys and values.
 *
 * <pre>
 * q, k, v = query(x), key(x), value(x)          q and k normed per head, where there are norms, and turned by their position
 * a_t     = sum over s up to t of softmax_s(q_t . k_s / sqrt(d)) v_s
 * y_t     = output(norm(a_t))                   the norm, where there is one, is over all H d numbers
 *         = output(a_t sigmoid(gate(x_t)))      where there is a gate
 * </pre>
 *
 * <p>Query head n reads key head n div (H / G). What it remembers grows with the text, see {@link KvCache}. The graph reading
 * begins every window without any.
 *
 * <p>Shapes: x, y [n, D]; query and gate [H d, D], key and value [G d, D], output [D, H d]. Source: Vaswani et al., arXiv:1706.03762;
 * Ainslie et al., arXiv:2305.13245.
 *
 * @param query    D to H d
 * @param key      D to G d
 * @param value    D to G d
 * @param output   H d to D
 * @param heads    H; d, the width of a head, is even
 * @param keyHeads G, heads of keys and values; a divisor of H
 * @param rotary   how positions turn queries and keys
 * @param subNorm  before {@code output}
 * @param headNorms of each head of queries, and of each of keys, before they are turned
 * @param gate     D to H d: how much of each answer's number passes
 */
public record Attention(BitLinear query, BitLinear key, BitLinear value, BitLinear output, int heads, int keyHeads,
        Rotary rotary, Optional<RmsNorm> subNorm, Optional<HeadNorms> headNorms, Optional<BitLinear> gate)
        implements
            Mixer {

    /**
     * Norms of the heads; one gain [d] serves all heads.
     *
     * @param query of queries
     * @param key   of keys
     */
    public record HeadNorms(RmsNorm query, RmsNorm key) {}

    /** Attention without norms of the heads and without a gate.
     *
     * @param query    D to H d
     * @param key      D to G d
     * @param value    D to G d
     * @param output   H d to D
     * @param heads    H
     * @param keyHeads G
     * @param rotary   how positions turn queries and keys
     * @param subNorm  before {@code output} */
    public Attention(BitLinear query, BitLinear key, BitLinear value, BitLinear output, int heads, int keyHeads,
            Rotary rotary, Optional<RmsNorm> subNorm) {
        this(query, key, value, output, heads, keyHeads, rotary, subNorm, Optional.empty(), Optional.empty());
    }

    /** Checks the sizes. */
    public Attention {
        if (heads < 1 || query.out() % (2 * heads) != 0) {
            throw new IllegalArgumentException(query.weight().path()
                    + ": heads must divide the width " + query.out() + " into even parts, got " + heads);
        }
        if (keyHeads < 1 || heads % keyHeads != 0) {
            throw new IllegalArgumentException(
                    key.weight().path() + ": heads of keys must divide the " + heads + " of queries, got " + keyHeads);
        }
        int keys = query.out() / heads * keyHeads;
        if (key.out() != keys || value.out() != keys || output.in() != query.out()) {
            throw new IllegalArgumentException("query " + query.weight() + ", key " + key.weight() + ", value "
                    + value.weight() + " and output " + output.weight() + " do not fit: they are [H d, D], [G d, D],"
                    + " [G d, D] and [D, H d]");
        }
        if (subNorm.isPresent() && subNorm.get().gain().rows() != query.out()) {
            throw new IllegalArgumentException(
                    subNorm.get().gain() + " must have as many numbers as query has rows: " + query.weight());
        }
        if (gate.isPresent() && gate.get().out() != query.out()) {
            throw new IllegalArgumentException(
                    gate.get().weight() + " must have as many rows as query: " + query.weight());
        }
        if (headNorms.isPresent() && (headNorms.get().query().gain().rows() != query.out() / heads
                || headNorms.get().key().gain().rows() != query.out() / heads)) {
            throw new IllegalArgumentException(headNorms.get().query().gain() + " and " + headNorms.get().key().gain()
                    + " must have as many numbers as a head is wide, " + query.out() / heads);
        }
    }

    @Override
    public <T> Mixed<T> forward(Ops<T> ops, MixerState<T> state, T x) {
        return ops.attention(this, (KvCache<T>) state, x);
    }

    @Override
    public String name() {
        return "attention";
    }

    @Override
    public List<StatePart> stateParts() {
        List<Integer> token = List.of(key.out());
        return List.of(new StatePart("keys", token, StatePart.Kind.GROWING_KEYS, Float.MAX_VALUE),
                new StatePart("values", token, StatePart.Kind.GROWING, Float.MAX_VALUE));
    }

    @Override
    public <T> KvCache<T> state(Function<StatePart, T> values) {
        List<T> parts = stateParts().stream().map(values).toList();
        return new KvCache<>(parts.get(0), parts.get(1));
    }

    /** d.
     *  @return the width of a head */
    public int headWidth() {
        return query.out() / heads;
    }

    @Override
    public List<Param> params() {
        return Stream.of(query.params(), key.params(), value.params(),
                headNorms.map(norms -> List.of(norms.query().gain(), norms.key().gain())).orElse(List.of()),
                subNorm.map(RmsNorm::params).orElse(List.of()), gate.map(BitLinear::params).orElse(List.of()),
                output.params()).flatMap(List::stream).toList();
    }
}
