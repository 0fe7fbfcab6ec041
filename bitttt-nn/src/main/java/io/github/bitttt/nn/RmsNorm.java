package io.github.bitttt.nn;

import java.util.List;

/**
 * Root-mean-square norm over the last dimension: y = g * x / sqrt(mean(x^2) + eps).
 *
 * <p>A row that is several times as wide as g is several heads, each of which is normed by itself.
 *
 * <p>Shapes: x [n, H D], g [D], y [n, H D]. Source: Zhang and Sennrich, arXiv:1910.07467.
 *
 * @param gain    g
 * @param epsilon eps
 */
public record RmsNorm(Param gain, double epsilon) {

    /** The normed rows.
     *
     * @param <T> the reading's value
     * @param ops the reading
     * @param x   [n, D]
     * @return [n, D] */
    public <T> T forward(Ops<T> ops, T x) {
        return ops.rmsNorm(this, x);
    }

    /** Its parameters.
     *  @return the gain */
    public List<Param> params() {
        return List.of(gain);
    }
}
