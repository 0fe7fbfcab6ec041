package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Int8 rows times float inputs, lanes are rows. Naive twin: {@code FloatKernels.int8Weights}.
 *
 * <p>Blocks of 64 rows lie by columns, so that nothing is summed across lanes; rows past the last whole block, and the rows
 * that fill it up, are zero.
 */
final class Int8Blocks implements FloatKernels.Int8Weights {
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_128;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_512;
    private static final ByteOrder ORDER = ByteOrder.nativeOrder();
    private static final int ROWS = 64;

    private final MemorySegment blocks;
    private final int rows;
    private final int columns;

    Int8Blocks(byte[] codes, int rows, int columns) {
        this.rows = rows;
        this.columns = columns;
        byte[] ordered = new byte[Math.multiplyExact(Math.ceilDiv(rows, ROWS) * ROWS, columns)];
        for (int row = 0; row < rows; row++) {
            int at = row / ROWS * columns * ROWS + row % ROWS;
            for (int column = 0; column < columns; column++) {
                ordered[at + column * ROWS] = codes[row * columns + column];
            }
        }
        blocks = Arena.ofAuto().allocate(ordered.length, ROWS);
        MemorySegment.copy(ordered, 0, blocks, ValueLayout.JAVA_BYTE, 0, ordered.length);
    }

    @Override
    public void products(float[] x, int xOffset, float[] y, int yOffset) {
        int whole = rows / ROWS;
        for (int block = 0; block < whole; block++) {
            block(blocks, (long) block * columns * ROWS, x, xOffset, columns, y, yOffset + block * ROWS);
        }
        if (whole * ROWS < rows) {
            float[] last = new float[ROWS];
            block(blocks, (long) whole * columns * ROWS, x, xOffset, columns, last, 0);
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
        for (int column = xOffset; column < xOffset + columns; column++, p += ROWS) {
            FloatVector input = FloatVector.broadcast(FLOATS, x[column]);
            s0 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p, ORDER).castShape(FLOATS, 0)).fma(input,
                    s0);
            s1 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 16, ORDER).castShape(FLOATS, 0))
                    .fma(input, s1);
            s2 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 32, ORDER).castShape(FLOATS, 0))
                    .fma(input, s2);
            s3 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 48, ORDER).castShape(FLOATS, 0))
                    .fma(input, s3);
        }
        s0.intoArray(y, yAt);
        s1.intoArray(y, yAt + 16);
        s2.intoArray(y, yAt + 32);
        s3.intoArray(y, yAt + 48);
    }
}
