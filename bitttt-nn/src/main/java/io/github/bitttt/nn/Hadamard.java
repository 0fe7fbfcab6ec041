package io.github.bitttt.nn;

/**
 * A rotation of inputs, to which weights were fitted: x' = H (s x), by consecutive blocks of b numbers, with
 * H_ij = (-1)^popcount(i &amp; j) / sqrt(b) and signs s. Its inverse is s (H x), for H is its own. It makes rows even, so that rounding costs
 * less.
 *
 * <p>The graph reading does not train it. Source: Sylvester's matrices; Bonsai-2.
 *
 * @param signs s [n], each 1 or -1
 * @param block b, a power of two that divides n
 */
public record Hadamard(Param signs, int block) {
    /** Checks the block. */
    public Hadamard {
        if (block < 1 || Integer.bitCount(block) != 1 || signs.rows() % block != 0) {
            throw new IllegalArgumentException(
                    signs + ": a block must be a power of two that divides the width, got " + block);
        }
    }
}
