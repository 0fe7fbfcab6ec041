package io.github.bitttt.nn;

/** What opens the gate of a {@link GatedMlp}. */
public enum Activation {
    /** a / (1 + exp(-a)). */
    SILU,
    /** max(a, 0)^2. */
    RELU_SQUARED
}
