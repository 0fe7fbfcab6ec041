package io.github.bitttt.tensor;

/** How a row of floats becomes int8. */
public enum Rounding {
    /** s = 127 / max(max |x|, 1e-5), code = clamp(rint(x s), -127, 127), half to even.
     *  Source: BitNet b1.58, arXiv:2402.17764. */
    BITNET,
    /** s = 127 / max |x|, or 1 where that maximum is under 1e-9; code = x s rounded half away from zero.
     *  Source: the original Bit-TTT engine. */
    ORIGINAL
}
