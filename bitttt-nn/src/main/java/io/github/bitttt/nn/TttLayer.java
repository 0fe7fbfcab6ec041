package io.github.bitttt.nn;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

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
 * <p>Shapes: x [n, D] (already normed), y [n, D], down [M, D], up [D, M], memory see {@link Memory}.
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

    /** The step size of the memory's gradient descent, for each token and head. */
    public sealed interface InnerRate {
        /**
         * eta_t = sigmoid(R x_t + b).
         *
         * @param weight R [H, D], 0 at the start
         * @param bias   b [H], 0 at the start, or a for a decay
         */
        record Learned(Param weight, Param bias) implements InnerRate {}

        /** The same for all.
         *  @param value in (0, 1] */
        record Constant(double value) implements InnerRate {
            /** Checks the range in which the memory stays bounded. */
            public Constant {
                if (!(value > 0 && value <= 1)) {
                    throw new IllegalArgumentException("inner rate must be in (0, 1], got " + value);
                }
            }
        }
    }

    /** What a mixer gives back.
     *
     * @param <T>    the reading's value
     * @param output y
     * @param memory the memory's successor */
    public record Mixed<T>(T output, Memory<T> memory) {}

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
    public <T> Mixed<T> forward(Ops<T> ops, Memory<T> memory, T x) {
        return ops.ttt(this, memory, x);
    }

    /** Down, up, and those of shift, rate and decay where they are learned. */
    @Override
    public List<Param> params() {
        List<Param> params = new ArrayList<>(List.of(down.weight(), up.weight()));
        shift.ifPresent(params::add);
        if (innerRate instanceof InnerRate.Learned(Param weight, Param bias)) {
            params.add(weight);
            params.add(bias);
        }
        decay.ifPresent(gate -> params.addAll(List.of(gate.weight(), gate.bias())));
        return List.copyOf(params);
    }
}
