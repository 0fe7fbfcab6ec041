package io.github.bitttt.nn;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The feed-forward layer: down(norm(act(gate x) * (up x))), all three ternary; act is SiLU or the squared ReLU, and there may be
 * no norm. With SiLU and without a norm it is SwiGLU.
 *
 * <p>Shapes: x [n, D], gate and up [F, D], down [D, F], y [n, D]. Source: Shazeer, arXiv:2002.05202; BitNet b1.58 2B4T,
 * arXiv:2504.12285.
 *
 * @param gate       what opens
 * @param up         what passes
 * @param down       back to the model's width
 * @param activation of the gate
 * @param subNorm    over all F numbers before {@code down}
 */
public record GatedMlp(BitLinear gate, BitLinear up, BitLinear down, Activation activation,
        Optional<RmsNorm> subNorm) implements FeedForward {

    /** Checks that the parts fit together. */
    public GatedMlp {
        if (gate.in() != up.in() || gate.out() != up.out() || down.in() != up.out()) {
            throw new IllegalArgumentException("gate " + gate.weight() + ", up " + up.weight() + " and down "
                    + down.weight() + " do not fit: gate and up are [F, D], down is [D, F]");
        }
        if (subNorm.isPresent() && subNorm.get().gain().rows() != down.in()) {
            throw new IllegalArgumentException(
                    subNorm.get().gain() + " must have as many numbers as down has columns: " + down.weight());
        }
    }

    /** SwiGLU: down(silu(gate x) * (up x)).
     *
     * @param gate what opens
     * @param up   what passes
     * @param down back to the model's width
     * @return the layer */
    public static GatedMlp swiGlu(BitLinear gate, BitLinear up, BitLinear down) {
        return new GatedMlp(gate, up, down, Activation.SILU, Optional.empty());
    }

    @Override
    public <T> T forward(Ops<T> ops, T x) {
        T opened = ops.gated(this, x);
        return down.forward(ops, subNorm.isPresent() ? subNorm.get().forward(ops, opened) : opened);
    }

    @Override
    public List<Param> params() {
        return Stream.of(gate.params(), up.params(), subNorm.map(RmsNorm::params).orElse(List.of()), down.params())
                .flatMap(List::stream).toList();
    }
}
