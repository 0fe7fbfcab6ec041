package io.github.bitttt.nn;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The layer that learns while it reads: its memory W takes one step of gradient descent on every token.
 *
 * <pre>
 * c_t   = x_t + mu * (p - x_t)                 token shift; without it c_t = x_t
 * f_t   = down(c_t), per head f / (||f|| + 1e-6)
 * k_t   = f_{t-1} (predict_next) or f_t (reconstruct)
 * eta_t = sigmoid(R x_t + b) for each head, or a constant
 * gamma_t = sigmoid(G x_t + a) for each head   learned decay; without it gamma_t = 1
 * W'    = gamma_t W_{t-1}                      what fades
 * e_t   = f_t - W' k_t                         loss 1/2 ||e||^2, gradient -e k^T
 * W_t   = W' + eta_t e_t k_t^T                 one step of gradient descent
 * y_t   = up(W_t f_t) (read after) or up(W' f_t) (read before)
 * p, g  = x_t, f_t
 * </pre>
 *
 * <p>Shapes: x [n, D] (already normed), y [n, D], down [M, D], up [D, M], memory see {@link TttState}.
 *
 * <p>Stability: ||k|| at most 1 and eta in (0, 1), so ||I - eta k k^T|| is at most 1 and no step amplifies what is there;
 * gamma in (0, 1) only shrinks it.
 *
 * @param down      D to M: the features
 * @param up        M to D: the answer
 * @param heads     H, a divisor of M; each head has its own W [d, d]
 * @param objective what the memory learns
 * @param innerRate eta
 * @param decay     gamma, if the memory fades: G and a
 * @param shift     mu [D], if the token shift is on
 * @param read      before or after the update
 */
public record TttLayer(BitLinear down, BitLinear up, int heads, Objective objective, InnerRate innerRate,
        Optional<InnerRate.Learned> decay, Optional<Param> shift, Read read) implements Mixer {
    // A normed row is at most sqrt(D) times its gains, which a checkpoint holds to 1,000.
    private static final double MAX_GAIN = 1000;
    // The norm of W is at most the root of the number of tokens, of which there are fewer than 2^63.
    private static final double MAX_WEIGHT = 0x1p32;

    /** Checks that the sizes fit. */
    public TttLayer {
        if (down.out() != up.in() || down.in() != up.out()) {
            throw new IllegalArgumentException(
                    "down " + down.weight() + " and up " + up.weight() + " do not fit: down is [M, D], up is [D, M]");
        }
        if (heads < 1 || down.out() % heads != 0) {
            throw new IllegalArgumentException(
                    down.weight().path() + ": heads must divide the memory width " + down.out() + ", got " + heads);
        }
    }

    /** M, the width of the features.
     *  @return rows of {@code down} */
    public int memoryWidth() {
        return down.out();
    }

    /** d = M/H.
     *  @return the width of a head */
    public int headWidth() {
        return memoryWidth() / heads;
    }

    /** D, the model's width.
     *  @return columns of {@code down} */
    public int width() {
        return down.in();
    }

    @Override
    public <T> Mixed<T> forward(Ops<T> ops, MixerState<T> state, T x) {
        return ops.ttt(this, (TttState<T>) state, x);
    }

    @Override
    public String name() {
        return "ttt";
    }

    @Override
    public List<StatePart> stateParts() {
        return List.of(
                new StatePart("memory", List.of(heads, headWidth(), headWidth()), StatePart.Kind.MATRICES, MAX_WEIGHT),
                new StatePart("previous", List.of(width()), StatePart.Kind.ROW, Math.sqrt(width()) * MAX_GAIN),
                new StatePart("feature", List.of(heads, headWidth()), StatePart.Kind.UNIT_HEADS, 2));
    }

    @Override
    public <T> TttState<T> state(Function<StatePart, T> values) {
        List<T> parts = stateParts().stream().map(values).toList();
        return new TttState<>(parts.get(0), parts.get(1), parts.get(2));
    }

    /** Down, up, and those of shift, rate and decay where they are learned. */
    @Override
    public List<Param> params() {
        List<Param> params = new ArrayList<>(down.params());
        params.addAll(up.params());
        shift.ifPresent(params::add);
        if (innerRate instanceof InnerRate.Learned(Param weight, Param bias)) {
            params.add(weight);
            params.add(bias);
        }
        decay.ifPresent(gate -> params.addAll(List.of(gate.weight(), gate.bias())));
        return List.copyOf(params);
    }
}
