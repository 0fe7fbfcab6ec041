package io.github.bitttt.nn;

import java.util.List;

/**
 * The feed-forward layer: down(silu(gate x) * (up x)), all three ternary.
 *
 * <p>Shapes: x [n, D], gate and up [F, D], down [D, F], y [n, D]. Source: Shazeer, arXiv:2002.05202.
 *
 * @param gate what opens
 * @param up   what passes
 * @param down back to the model's width
 */
public record SwiGlu(BitLinear gate, BitLinear up, BitLinear down) {

    /** Checks that the three fit together. */
    public SwiGlu {
        if (gate.in() != up.in() || gate.out() != up.out() || down.in() != up.out()) {
            throw new IllegalArgumentException("gate " + gate.weight() + ", up " + up.weight() + " and down "
                    + down.weight() + " do not fit: gate and up are [F, D], down is [D, F]");
        }
    }

    /** The layer's output.
     *
     * @param <T> the reading's value
     * @param ops the reading
     * @param x   [n, D]
     * @return [n, D] */
    public <T> T forward(Ops<T> ops, T x) {
        return down.forward(ops, ops.gated(gate, up, x));
    }

    /** Its parameters.
     *  @return gate, up, down */
    public List<Param> params() {
        return List.of(gate.weight(), up.weight(), down.weight());
    }
}
