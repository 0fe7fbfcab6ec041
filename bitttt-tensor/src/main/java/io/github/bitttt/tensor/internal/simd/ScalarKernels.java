package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import io.github.bitttt.tensor.internal.Kernels;
import io.github.bitttt.tensor.internal.NaiveKernels;
import io.github.bitttt.tensor.internal.PlainKernels;
import java.lang.foreign.MemorySegment;

/**
 * What {@link VectorKernels} compute, to the bit, without vectors: integer sums are exact anyway, tables are the same bytes,
 * float sums are made in the same order.
 */
final class ScalarKernels implements Kernels {
    private final FloatKernels floats = new ScalarFloats();

    @Override
    public String name() {
        return "scalar";
    }

    @Override
    public Weights weights(byte[] codes, int rows, int columns) {
        return PlainKernels.INSTANCE.weights(codes, rows, columns);
    }

    @Override
    public long tableBytes(int columns) {
        return LutP.tableBytes(columns);
    }

    // Not read by this family's own products, but by those of the vector kernels if they take over in between.
    @Override
    public void buildTables(byte[] codes, int offset, int columns, MemorySegment tables, long at) {
        LutP.buildTablesByLoops(codes, offset, columns, tables, at);
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
