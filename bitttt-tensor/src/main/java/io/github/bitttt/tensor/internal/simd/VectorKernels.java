package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import io.github.bitttt.tensor.internal.Kernels;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Kernels on the Vector API. Naive twin: {@code NaiveKernels}.
 */
final class VectorKernels implements Kernels {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_512;
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_128;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_512;
    private static final float ROUNDING = 12582912f;
    // The largest float below 1/2: with 1/2 itself the number before 1/2 would become 1.
    private static final int ALMOST_HALF = Float.floatToRawIntBits(Math.nextDown(0.5f));

    private final FloatKernels floats = new VectorFloats();

    /** The family.
     *
     * @throws IllegalStateException if this machine's vectors are too narrow */
    VectorKernels() {
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
        return new Lut16(codes, rows, columns);
    }

    @Override
    public float round(float[] x, int xOffset, int columns, byte[] codes, int codesOffset) {
        FloatVector largest = FloatVector.broadcast(FLOATS, 1e-5f);
        int whole = FLOATS.loopBound(columns);
        for (int i = 0; i < whole; i += FLOATS.length()) {
            largest = largest.max(FloatVector.fromArray(FLOATS, x, xOffset + i).abs());
        }
        float most = largest.reduceLanes(VectorOperators.MAX);
        for (int i = whole; i < columns; i++) {
            most = Math.max(most, Math.abs(x[xOffset + i]));
        }
        float scale = 127 / most;
        for (int i = 0; i < whole; i += FLOATS.length()) {
            // Adding 1.5 * 2^23 rounds to the nearest integer, half to even, and leaves it in the low bits.
            ((ByteVector) FloatVector.fromArray(FLOATS, x, xOffset + i).mul(scale).add(ROUNDING).reinterpretAsInts()
                    .castShape(BYTES, 0)).intoArray(codes, codesOffset + i);
        }
        for (int i = whole; i < columns; i++) {
            codes[codesOffset + i] = (byte) Math.rint(x[xOffset + i] * scale);
        }
        return scale;
    }

    @Override
    public float roundAway(float[] x, int xOffset, int columns, byte[] codes, int codesOffset) {
        FloatVector largest = FloatVector.zero(FLOATS);
        int whole = FLOATS.loopBound(columns);
        for (int i = 0; i < whole; i += FLOATS.length()) {
            largest = largest.max(FloatVector.fromArray(FLOATS, x, xOffset + i).abs());
        }
        float most = largest.reduceLanes(VectorOperators.MAX);
        for (int i = whole; i < columns; i++) {
            most = Math.max(most, Math.abs(x[xOffset + i]));
        }
        float scale = most < 1e-9f ? 1 : 127 / most;
        for (int i = 0; i < whole; i += FLOATS.length()) {
            FloatVector scaled = FloatVector.fromArray(FLOATS, x, xOffset + i).mul(scale);
            FloatVector half = scaled.reinterpretAsInts().and(Integer.MIN_VALUE).or(ALMOST_HALF).reinterpretAsFloats();
            ((ByteVector) scaled.add(half).convertShape(VectorOperators.F2I, INTS, 0).castShape(BYTES, 0))
                    .intoArray(codes, codesOffset + i);
        }
        for (int i = whole; i < columns; i++) {
            float scaled = x[xOffset + i] * scale;
            codes[codesOffset + i] = (byte) (scaled + Math.copySign(Float.intBitsToFloat(ALMOST_HALF), scaled));
        }
        return scale;
    }

    @Override
    public FloatKernels floats() {
        return floats;
    }
}
