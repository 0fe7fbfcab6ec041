package io.github.bitttt.nn;

import io.github.bitttt.tensor.TernaryMatrix;

/** The numbers of one {@link Param}, in one of three exact forms. */
public sealed interface Weight {

    /** Float32 in row order: a trainable master, or a small tensor.
     *  @param values one for each element; owned by the weights and never written after */
    record Floats(float[] values) implements Weight {}

    /** Packed ternary codes with their scale.
     *  @param matrix [out, in] */
    record Ternary(TernaryMatrix matrix) implements Weight {}

    /** Int8 rows: element = code * scale of its row.
     *
     *  @param codes  in row order; never written after
     *  @param scales one for each row; never written after */
    record Int8Rows(byte[] codes, float[] scales) implements Weight {}
}
