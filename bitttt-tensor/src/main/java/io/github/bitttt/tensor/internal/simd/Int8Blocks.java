package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Int8 rows times float inputs, lanes are rows. Naive twin: {@code FloatKernels.int8Weights}.
 *
 * <p>A code is held as the upper half of its float, exactly: 16 bits that become a float by one mask or shift, where bytes
 * would have to be widened and converted. Blocks of 64 rows lie by columns, so that nothing is summed across lanes: two
 * vectors a column, the first with rows 0 to 15 in its upper and 16 to 31 in its lower halves, the second with the rest. Rows
 * past the last whole block, and the rows that fill it up, are zero.
 */
final class Int8Blocks implements FloatKernels.Int8Weights {
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_512;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_512;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
    private static final ValueLayout.OfShort LITTLE = ValueLayout.JAVA_SHORT.withOrder(ORDER);
    private static final int ROWS = 64;
    private static final int COLUMN = 2 * ROWS; // bytes
    private static final int UPPER_HALF = 0xffff0000;

    private final MemorySegment blocks;
    private final int rows;
    private final int columns;

    Int8Blocks(byte[] codes, int rows, int columns) {
        this.rows = rows;
        this.columns = columns;
        short[] ordered = new short[Math.multiplyExact(Math.ceilDiv(rows, ROWS) * ROWS, columns)];
        for (int row = 0; row < rows; row++) {
            int lane = row % 32 % 16 * 2 + (row % 32 < 16 ? 1 : 0); // of shorts, the lower half first
            int at = row / ROWS * columns * ROWS + row % ROWS / 32 * 32 + lane;
            for (int column = 0; column < columns; column++) {
                ordered[at + column * ROWS] = (short) (Float.floatToRawIntBits(codes[row * columns + column]) >> 16);
            }
        }
        blocks = Arena.ofAuto().allocate(2L * ordered.length, ROWS);
        MemorySegment.copy(ordered, 0, blocks, LITTLE, 0, ordered.length);
    }

    @Override
    public void products(float[] x, int xOffset, float[] y, int yOffset) {
        int whole = rows / ROWS;
        for (int block = 0; block < whole; block++) {
            block(blocks, (long) block * columns * COLUMN, x, xOffset, columns, y, yOffset + block * ROWS);
        }
        if (whole * ROWS < rows) {
            float[] last = new float[ROWS];
            block(blocks, (long) whole * columns * COLUMN, x, xOffset, columns, last, 0);
            System.arraycopy(last, 0, y, yOffset + whole * ROWS, rows - whole * ROWS);
        }
    }

    // As in LutP, the loads are written out.
    private static void block(MemorySegment blocks, long at, float[] x, int xOffset, int columns, float[] y, int yAt) {
        FloatVector s0 = FloatVector.zero(FLOATS);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        long p = at;
        for (int column = xOffset; column < xOffset + columns; column++, p += COLUMN) {
            FloatVector input = FloatVector.broadcast(FLOATS, x[column]);
            IntVector first = IntVector.fromMemorySegment(INTS, blocks, p, ORDER);
            IntVector second = IntVector.fromMemorySegment(INTS, blocks, p + ROWS, ORDER);
            s0 = first.and(UPPER_HALF).reinterpretAsFloats().fma(input, s0);
            s1 = first.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(input, s1);
            s2 = second.and(UPPER_HALF).reinterpretAsFloats().fma(input, s2);
            s3 = second.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(input, s3);
        }
        s0.intoArray(y, yAt);
        s1.intoArray(y, yAt + 16);
        s2.intoArray(y, yAt + 32);
        s3.intoArray(y, yAt + 48);
    }
}
