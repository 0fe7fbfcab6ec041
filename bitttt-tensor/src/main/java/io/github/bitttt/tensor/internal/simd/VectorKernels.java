package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import io.github.bitttt.tensor.internal.Kernels;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.VectorShape;

/**
 * Kernels on the Vector API. Naive twin: {@code NaiveKernels}. Reached by name, and only where the module is there.
 */
public final class VectorKernels implements Kernels {
    private final FloatKernels floats = new VectorFloats();

    /** The family.
     *
     * @throws IllegalStateException if this machine's vectors are too narrow */
    public VectorKernels() {
        int bits = VectorShape.preferredShape().vectorBitSize();
        if (bits < 512) {
            throw new IllegalStateException("vector kernels need vectors of 512 bits, this machine has " + bits);
        }
    }

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public Weights weights(byte[] codes, int rows, int columns) {
        return new LutP(codes, rows, columns);
    }

    @Override
    public long tableBytes(int columns) {
        return LutP.tableBytes(columns);
    }

    @Override
    public void buildTables(byte[] codes, int offset, int columns, MemorySegment tables, long at) {
        LutP.buildTables(codes, offset, columns, tables, at);
    }

    @Override
    public FloatKernels floats() {
        return floats;
    }
}
