package io.github.bitttt.nn;

import io.github.bitttt.tensor.Int8Matrix;
import io.github.bitttt.tensor.TernaryMatrix;

/** The numbers of one {@link Param}, in one of three exact forms. */
public sealed interface Weight {

    /** Float32 in row order: a trainable master, or a small tensor.
     *  @param values one for each element; owned by the weights and never written after */
    record Floats(float[] values) implements Weight {}

    /** Packed ternary codes with their scale.
     *  @param matrix [out, in] */
    record Ternary(TernaryMatrix matrix) implements Weight {}

    /** Int8 rows, each with its scale.
     *  @param matrix [V, D] */
    record Int8Rows(Int8Matrix matrix) implements Weight {}
}
