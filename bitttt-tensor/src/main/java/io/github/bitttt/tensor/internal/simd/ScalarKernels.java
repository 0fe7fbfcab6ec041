package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import io.github.bitttt.tensor.internal.Kernels;
import io.github.bitttt.tensor.internal.NaiveKernels;
import io.github.bitttt.tensor.internal.PlainKernels;

/**
 * What {@link VectorKernels} compute, to the bit, without vectors: integer sums are exact anyway, float sums are made in
 * the same order.
 */
final class ScalarKernels implements Kernels {
    private final FloatKernels floats = new ScalarFloats();

    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public Weights weights(Codes codes, int rows, int columns) {
        return PlainKernels.INSTANCE.weights(codes, rows, columns);
    }

    @Override
    public float round(float[] x, int xOffset, int columns, byte[] codes, int codesOffset) {
        return NaiveKernels.INSTANCE.round(x, xOffset, columns, codes, codesOffset);
    }

    @Override
    public FloatKernels floats() {
        return floats;
    }
}
