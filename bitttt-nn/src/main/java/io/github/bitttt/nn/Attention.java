package io.github.bitttt.nn;

import java.util.List;
import java.util.function.Function;

/**
 * Causal attention with rotary positions, in ternary projections: the baseline that a TTT layer is compared with.
 *
 * <pre>
 * q, k, v = query(x), key(x), value(x)          q and k turned by their position, per head
 * a_t     = sum over s up to t of softmax_s(q_t . k_s / sqrt(d)) v_s
 * y_t     = output(a_t)
 * </pre>
 *
 * <p>What it remembers grows with the text, see {@link KvCache}. The graph reading begins every window without any.
 *
 * <p>Shapes: x, y [n, D]; every projection [D, D]. Source: Vaswani et al., arXiv:1706.03762; Su et al., arXiv:2104.09864.
 *
 * @param query  D to D
 * @param key    D to D
 * @param value  D to D
 * @param output D to D
 * @param heads  H; d = D / H is even
 */
public record Attention(BitLinear query, BitLinear key, BitLinear value, BitLinear output, int heads) implements Mixer {
    /** Checks the sizes. */
    public Attention {
        if (heads < 1 || query.out() % (2 * heads) != 0) {
            throw new IllegalArgumentException(query.weight().path()
                    + ": heads must divide the width " + query.out() + " into even parts, got " + heads);
        }
    }

    /** The angle by which a pair of numbers of a query or key is turned.
     *
     * @param position of the token, from 0
     * @param pair     from 0 to d / 2 - 1
     * @param width    d
     * @return radians */
    public static double angle(long position, int pair, int width) {
        return position * Math.pow(10_000, -2.0 * pair / width);
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
        return List.of(new StatePart("keys", List.of(width()), StatePart.Kind.GROWING, Float.MAX_VALUE),
                new StatePart("values", List.of(width()), StatePart.Kind.GROWING, Float.MAX_VALUE));
    }

    @Override
    public <T> KvCache<T> state(Function<StatePart, T> values) {
        List<T> parts = stateParts().stream().map(values).toList();
        return new KvCache<>(parts.get(0), parts.get(1));
    }

    /** D.
     *  @return the width of queries, keys and values */
    public int width() {
        return query.out();
    }

    @Override
    public List<Param> params() {
        return List.of(query.weight(), key.weight(), value.weight(), output.weight());
    }
}
