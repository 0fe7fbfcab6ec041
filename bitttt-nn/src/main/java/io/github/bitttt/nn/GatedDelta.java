package io.github.bitttt.nn;

import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The gated delta rule: a memory that takes one step of gradient descent on every token, as {@link TttLayer} does, whose query is another
 * row than its value. Three of four layers of Qwen3-Next, Qwen3.5 and Ternary Bonsai 27B.
 *
 * <pre>
 * u_t     = input(x_t)                                  [C], C = 2 G dk + H dv: queries, keys, values
 * c_t     = silu(sum over j of kernel_j u_{t-k+1+j})    causal, each number by itself; k taps, the last is u_t
 * q, k, v = c_t, cut; per head q / sqrt(q.q + 1e-6) / sqrt(dk) and k / sqrt(k.k + 1e-6)
 * eta_t   = sigmoid(R x_t)                              for each head
 * gamma_t = exp(-exp(A) softplus(G x_t + a))            for each head
 * W'      = gamma_t W_{t-1}                             what fades
 * e_t     = v_t - W' k_t                                loss 1/2 ||e||^2, gradient -e k^T
 * W_t     = W' + eta_t e_t k_t^T                        one step of gradient descent
 * y_t     = output(silu(gate(x_t)) norm(W_t q_t))       the norm is per head
 * </pre>
 *
 * <p>Shapes: x, y [n, D], input [C, D], kernel [C, k], R and G [H, D], A and a [H], gate [H dv, D], output [D, H dv]. ||k|| is at most 1
 * and eta in (0, 1), so no step amplifies what is there; but values may be long, so W has no bound of its own. Source: Yang et al.,
 * Gated Delta Networks, arXiv:2412.06464; transformers, models/qwen3_next.
 *
 * @param input    D to C
 * @param kernel   of the convolution
 * @param rate     R
 * @param decay    G, a and A
 * @param shape    heads and widths
 * @param norm     of an answer's head [dv]
 * @param gate     D to H dv
 * @param output   H dv to D
 */
public record GatedDelta(BitLinear input, Param kernel, Param rate, Decay decay, DeltaShape shape, RmsNorm norm,
        BitLinear gate, BitLinear output) implements Mixer {
    // The taps of a convolution are few: every one is a row of state.
    private static final int MOST_TAPS = 64;

    /**
     * What makes gamma.
     *
     * @param weight   G [H, D]
     * @param offset   a [H]
     * @param exponent A [H], the logarithm of a power
     */
    public record Decay(Param weight, Param offset, Param exponent) {}

    /** Checks the sizes. */
    public GatedDelta {
        int heads = shape.heads();
        if (input.out() != 2 * shape.keys() + shape.values() || gate.out() != shape.values()
                || output.in() != shape.values() || gate.in() != input.in() || output.out() != input.in()) {
            throw new IllegalArgumentException("input " + input.weight() + ", gate " + gate.weight() + " and output "
                    + output.weight() + " do not fit " + shape
                    + ": they are [2 G dk + H dv, D], [H dv, D] and [D, H dv]");
        }
        if (kernel.rows() != input.out() || kernel.columns() < 2 || kernel.columns() > MOST_TAPS) {
            throw new IllegalArgumentException(kernel + " must have " + input.out() + " rows of 2 to " + MOST_TAPS
                    + " numbers");
        }
        if (rate.rows() != heads || decay.weight().rows() != heads || decay.offset().rows() != heads
                || decay.exponent().rows() != heads || norm.gain().rows() != shape.valueWidth()) {
            throw new IllegalArgumentException("rate " + rate + ", decay " + decay.weight() + ", " + decay.offset()
                    + ", " + decay.exponent() + " and norm " + norm.gain() + " do not fit " + shape);
        }
    }

    /** C, the width of what the convolution reads.
     *  @return rows of {@code input} */
    public int channels() {
        return input.out();
    }

    @Override
    public <T> Mixed<T> forward(Ops<T> ops, MixerState<T> state, T x) {
        return ops.gatedDelta(this, (GatedDeltaState<T>) state, x);
    }

    @Override
    public String name() {
        return "delta";
    }

    @Override
    public List<StatePart> stateParts() {
        return List.of(
                new StatePart("memory", List.of(shape.heads(), shape.valueWidth(), shape.keyWidth()),
                        StatePart.Kind.MATRICES, Float.MAX_VALUE),
                new StatePart("tail", List.of(kernel.columns() - 1, channels()), StatePart.Kind.ROW, Float.MAX_VALUE));
    }

    @Override
    public <T> GatedDeltaState<T> state(Function<StatePart, T> values) {
        List<T> parts = stateParts().stream().map(values).toList();
        return new GatedDeltaState<>(parts.get(0), parts.get(1));
    }

    @Override
    public List<Param> params() {
        return Stream.of(input.params(), List.of(kernel, rate, decay.weight(), decay.offset(), decay.exponent()),
                norm.params(), gate.params(), output.params()).flatMap(List::stream).toList();
    }
}
