package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import io.github.bitttt.tensor.internal.GroupScales;
import io.github.bitttt.tensor.internal.Kernels;
import java.util.Arrays;
import java.util.List;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Kernels on the Vector API, on the widest vectors of the machine. Naive twin: {@code NaiveKernels}.
 */
final class VectorKernels implements Kernels {
    private static final VectorSpecies<Float> FLOATS = VectorFloats.FLOATS;
    private static final int LANES = VectorFloats.LANES;
    private static final int BITS = FLOATS.vectorBitSize();
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    // As many bytes as there are lanes of floats; of 128 bits there are too few to make a vector.
    private static final VectorSpecies<Byte> BYTES = LANES == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;
    private static final boolean WIDE = LANES >= 8;
    private static final float ROUNDING = 12582912f;
    // The largest float below 1/2: with 1/2 itself the number before 1/2 would become 1.
    private static final int ALMOST_HALF = Float.floatToRawIntBits(Math.nextDown(0.5f));

    /** The kernels of ternary products; the first that the machine is wide enough for is the usual one. */
    enum Layout {
        /** {@link Lut16}. */
        LUT16("lut16", 512),
        /** {@link Lut256}. */
        LUT256("lut256", 256),
        /** {@link Lut128}. */
        LUT128("lut128", 128);

        private final String kernel;
        private final int bits;

        Layout(String kernel, int bits) {
            this.kernel = kernel;
            this.bits = bits;
        }

        static List<Layout> available() {
            return Arrays.stream(values()).filter(layout -> layout.bits <= BITS).toList();
        }

        /** The layout of a name, or the usual one of an empty name.
         *
         * @throws IllegalStateException if this machine's vectors are too narrow */
        static Layout of(String kernel) {
            Layout wanted = kernel.isEmpty()
                    ? available().stream().findFirst().orElse(LUT128)
                    : Arrays.stream(values()).filter(layout -> layout.kernel.equalsIgnoreCase(kernel)).findFirst()
                            .orElseThrow();
            if (wanted.bits > BITS) {
                throw new IllegalStateException(
                        "vector kernels need vectors of " + wanted.bits + " bits, this machine has " + BITS);
            }
            return wanted;
        }

        Weights weights(Codes codes, int rows, int columns) {
            return switch (this) {
                case LUT16 -> new Lut16(codes, rows, columns);
                case LUT256 -> new Lut256(codes, rows, columns);
                case LUT128 -> new Lut128(codes, rows, columns);
            };
        }
    }

    private final FloatKernels floats = new VectorFloats();
    private final Layout layout;

    VectorKernels(Layout layout) {
        this.layout = layout;
    }

    @Override
    public String name() {
        return "vector";
    }

    @Override
    public String reason() {
        return "vectors of " + BITS + " bits";
    }

    @Override
    public Weights weights(Codes codes, int rows, int columns) {
        return layout.weights(codes, rows, columns);
    }

    @Override
    public Weights groupedWeights(Codes codes, int rows, boolean large, GroupScales scales) {
        return layout == Layout.LUT16
                ? new GroupedLut16(codes, rows, scales)
                : Kernels.super.groupedWeights(codes, rows, large, scales);
    }

    /** The largest |x|, or {@code least}: floats without a sign are in the order of their bits. */
    private static float largest(float least, float[] x, int xOffset, int n) {
        IntVector largest = IntVector.broadcast(INTS, Float.floatToRawIntBits(least));
        int whole = FLOATS.loopBound(n);
        for (int i = 0; i < whole; i += LANES) {
            largest = largest.max(FloatVector.fromArray(FLOATS, x, xOffset + i).reinterpretAsInts()
                    .and(Integer.MAX_VALUE));
        }
        float most = Float.intBitsToFloat(largest.reduceLanes(VectorOperators.MAX));
        for (int i = whole; i < n; i++) {
            most = Math.max(most, Math.abs(x[xOffset + i]));
        }
        return most;
    }

    @Override
    public float round(float[] x, int xOffset, int columns, byte[] codes, int codesOffset) {
        float scale = 127 / largest(1e-5f, x, xOffset, columns);
        int whole = WIDE ? FLOATS.loopBound(columns) : 0;
        for (int i = 0; i < whole; i += LANES) {
            // Adding 1.5 * 2^23 rounds to the nearest integer, half to even, and leaves it in the low bits.
            ((ByteVector) FloatVector.fromArray(FLOATS, x, xOffset + i).mul(scale).add(ROUNDING).reinterpretAsInts()
                    .castShape(BYTES, 0)).intoArray(codes, codesOffset + i);
        }
        for (int i = whole; i < columns; i++) {
            codes[codesOffset + i] = (byte) Float.floatToRawIntBits(x[xOffset + i] * scale + ROUNDING);
        }
        return scale;
    }

    @Override
    public float roundAway(float[] x, int xOffset, int columns, byte[] codes, int codesOffset) {
        float most = largest(0, x, xOffset, columns);
        float scale = most < 1e-9f ? 1 : 127 / most;
        int whole = WIDE ? FLOATS.loopBound(columns) : 0;
        for (int i = 0; i < whole; i += LANES) {
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
