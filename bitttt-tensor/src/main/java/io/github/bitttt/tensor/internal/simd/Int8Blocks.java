package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Int8 rows times float inputs, lanes are rows. Naive twin: {@code FloatKernels.int8Weights}.
 *
 * <p>Blocks of eight vectors of rows lie by columns, so that nothing is summed across lanes and eight sums are on their way at
 * once; a code becomes a float when it is read. Rows past the last whole block, and those that fill it up, are zero.
 *
 * <p>What else was measured on a head [2048, 256]: codes held as the upper halves of floats need fewer instructions and twice the
 * bytes, which pushes a small model out of the second cache. Ternary planes would add only, but five of them reach 121 and
 * not 127, and six, twice over for 16-bit inputs, cost four times as much as this.
 */
final class Int8Blocks implements FloatKernels.Int8Weights {
    private static final VectorSpecies<Float> FLOATS = VectorFloats.FLOATS;
    private static final int LANES = VectorFloats.LANES;
    // As many bytes as there are lanes of floats; 8 of them, the fewest there can be, fill two vectors of 128 bits.
    private static final VectorSpecies<Byte> BYTES = LANES == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;
    private static final int PARTS = BYTES.length() / LANES;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
    private static final int ROWS = 8 * LANES;

    private final MemorySegment blocks;
    private final int rows;
    private final int columns;

    Int8Blocks(byte[] codes, int rows, int columns) {
        this.rows = rows;
        this.columns = columns;
        byte[] ordered = new byte[Math.multiplyExact(Math.ceilDiv(rows, ROWS) * ROWS, columns)];
        for (int row = 0; row < rows; row++) {
            int at = row / ROWS * ROWS * columns + row % ROWS;
            for (int column = 0; column < columns; column++) {
                ordered[at + column * ROWS] = codes[row * columns + column];
            }
        }
        blocks = Arena.ofAuto().allocate(ordered.length, 64);
        MemorySegment.copy(ordered, 0, blocks, ValueLayout.JAVA_BYTE, 0, ordered.length);
    }

    @Override
    public void products(float[] x, int xOffset, float[] y, int yOffset) {
        int whole = rows / ROWS;
        for (int block = 0; block < whole; block++) {
            block((long) block * columns * ROWS, x, xOffset, y, yOffset + block * ROWS);
        }
        if (whole * ROWS < rows) {
            float[] last = new float[ROWS];
            block((long) whole * columns * ROWS, x, xOffset, last, 0);
            System.arraycopy(last, 0, y, yOffset + whole * ROWS, rows - whole * ROWS);
        }
    }

    private void block(long at, float[] x, int xOffset, float[] y, int yAt) {
        if (PARTS == 1) {
            wide(blocks, at, x, xOffset, columns, y, yAt);
        } else {
            narrow(blocks, at, x, xOffset, columns, y, yAt);
        }
    }

    // length: as in Lut16, loads are written out and vectors stay in one method
    private static void wide(MemorySegment blocks, long at, float[] x, int xOffset, int columns, float[] y, int yAt) {
        FloatVector s0 = FloatVector.zero(FLOATS);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        FloatVector s4 = s0;
        FloatVector s5 = s0;
        FloatVector s6 = s0;
        FloatVector s7 = s0;
        long p = at;
        for (int column = xOffset; column < xOffset + columns; column++, p += ROWS) {
            FloatVector input = FloatVector.broadcast(FLOATS, x[column]);
            s0 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p, ORDER)
                    .convertShape(VectorOperators.B2F, FLOATS, 0)).fma(input, s0);
            s1 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + LANES, ORDER)
                    .convertShape(VectorOperators.B2F, FLOATS, 0)).fma(input, s1);
            s2 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 2 * LANES, ORDER)
                    .convertShape(VectorOperators.B2F, FLOATS, 0)).fma(input, s2);
            s3 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 3 * LANES, ORDER)
                    .convertShape(VectorOperators.B2F, FLOATS, 0)).fma(input, s3);
            s4 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 4 * LANES, ORDER)
                    .convertShape(VectorOperators.B2F, FLOATS, 0)).fma(input, s4);
            s5 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 5 * LANES, ORDER)
                    .convertShape(VectorOperators.B2F, FLOATS, 0)).fma(input, s5);
            s6 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 6 * LANES, ORDER)
                    .convertShape(VectorOperators.B2F, FLOATS, 0)).fma(input, s6);
            s7 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 7 * LANES, ORDER)
                    .convertShape(VectorOperators.B2F, FLOATS, 0)).fma(input, s7);
        }
        s0.intoArray(y, yAt);
        s1.intoArray(y, yAt + LANES);
        s2.intoArray(y, yAt + 2 * LANES);
        s3.intoArray(y, yAt + 3 * LANES);
        s4.intoArray(y, yAt + 4 * LANES);
        s5.intoArray(y, yAt + 5 * LANES);
        s6.intoArray(y, yAt + 6 * LANES);
        s7.intoArray(y, yAt + 7 * LANES);
    }

    private static void narrow(MemorySegment blocks, long at, float[] x, int xOffset, int columns, float[] y, int yAt) {
        FloatVector s0 = FloatVector.zero(FLOATS);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        FloatVector s4 = s0;
        FloatVector s5 = s0;
        FloatVector s6 = s0;
        FloatVector s7 = s0;
        long p = at;
        for (int column = xOffset; column < xOffset + columns; column++, p += ROWS) {
            FloatVector input = FloatVector.broadcast(FLOATS, x[column]);
            ByteVector codes = ByteVector.fromMemorySegment(BYTES, blocks, p, ORDER);
            s0 = ((FloatVector) codes.convertShape(VectorOperators.B2F, FLOATS, 0)).fma(input, s0);
            s1 = ((FloatVector) codes.convertShape(VectorOperators.B2F, FLOATS, 1)).fma(input, s1);
            codes = ByteVector.fromMemorySegment(BYTES, blocks, p + 2 * LANES, ORDER);
            s2 = ((FloatVector) codes.convertShape(VectorOperators.B2F, FLOATS, 0)).fma(input, s2);
            s3 = ((FloatVector) codes.convertShape(VectorOperators.B2F, FLOATS, 1)).fma(input, s3);
            codes = ByteVector.fromMemorySegment(BYTES, blocks, p + 4 * LANES, ORDER);
            s4 = ((FloatVector) codes.convertShape(VectorOperators.B2F, FLOATS, 0)).fma(input, s4);
            s5 = ((FloatVector) codes.convertShape(VectorOperators.B2F, FLOATS, 1)).fma(input, s5);
            codes = ByteVector.fromMemorySegment(BYTES, blocks, p + 6 * LANES, ORDER);
            s6 = ((FloatVector) codes.convertShape(VectorOperators.B2F, FLOATS, 0)).fma(input, s6);
            s7 = ((FloatVector) codes.convertShape(VectorOperators.B2F, FLOATS, 1)).fma(input, s7);
        }
        s0.intoArray(y, yAt);
        s1.intoArray(y, yAt + LANES);
        s2.intoArray(y, yAt + 2 * LANES);
        s3.intoArray(y, yAt + 3 * LANES);
        s4.intoArray(y, yAt + 4 * LANES);
        s5.intoArray(y, yAt + 5 * LANES);
        s6.intoArray(y, yAt + 6 * LANES);
        s7.intoArray(y, yAt + 7 * LANES);
    }
    // length ends
}
