package io.github.bitttt.nn;

/** The step size of a memory's gradient descent, for each token and head. A learned decay has the same form. */
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
