package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import io.github.bitttt.tensor.internal.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Int8 rows times float inputs, lanes are rows. Naive twin: {@code FloatKernels.int8Weights}.
 *
 * <p>Blocks of eight vectors of rows lie by columns, so that nothing is summed across lanes and eight sums are on their way at
 * once; a code becomes a float when it is read, by way of an int (straight from byte to float is compiled to half the speed).
 *
 * <p>Codes held as the upper halves of floats need fewer instructions and twice the bytes: a small model then leaves the second
 * cache (measured on a head [2048, 256]). Ternary planes would add only, but five of them reach 121 and not 127; six, twice over
 * for 16-bit inputs, are reckoned to cost four times as much as this, and were not built.
 */
final class Int8Blocks implements FloatKernels.Int8Weights {
    private static final VectorSpecies<Float> FLOATS = VectorFloats.FLOATS;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final int LANES = VectorFloats.LANES;
    // As many bytes as there are lanes of floats; 8 of them, the fewest there can be, fill two vectors of 128 bits.
    private static final VectorSpecies<Byte> BYTES = LANES == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;
    private static final int PARTS = BYTES.length() / LANES;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
    private static final int ROWS = 8 * LANES;

    private final MemorySegment blocks;
    private final byte[] few; // the rows in order, where they fill no block
    private final int rows;
    private final int columns;

    Int8Blocks(Kernels.Codes codes, int rows, int columns) {
        this.rows = rows;
        this.columns = columns;
        int count = rows < ROWS ? 0 : Math.ceilDiv(rows, ROWS);
        few = count == 0 ? codes.all(rows, columns) : new byte[0];
        blocks = Arena.ofAuto().allocate(Math.max((long) count * ROWS * columns, 1), 64);
        byte[] ordered = new byte[count == 0 ? 0 : Math.multiplyExact(ROWS, columns)];
        byte[] codesOfRow = new byte[columns];
        for (int block = 0; block < count; block++) {
            for (int row = 0; row < ROWS; row++) {
                codes.read(firstRow(block) + row, codesOfRow, 0);
                for (int column = 0; column < columns; column++) {
                    ordered[column * ROWS + row] = codesOfRow[column];
                }
            }
            MemorySegment.copy(ordered, 0, blocks, ValueLayout.JAVA_BYTE, (long) block * ordered.length,
                    ordered.length);
        }
    }

    @Override
    public void read(int row, byte[] to, int offset) {
        if (rows < ROWS) {
            System.arraycopy(few, row * columns, to, offset, columns);
            return;
        }
        int block = row / ROWS;
        long at = (long) block * columns * ROWS + row - firstRow(block);
        for (int column = 0; column < columns; column++, at += ROWS) {
            to[offset + column] = blocks.get(ValueLayout.JAVA_BYTE, at);
        }
    }

    @Override
    public void row(int row, float scale, float[] y, int yOffset) {
        if (rows < ROWS) {
            for (int i = 0; i < columns; i++) {
                y[yOffset + i] = few[row * columns + i] * scale;
            }
            return;
        }
        int block = row / ROWS;
        long at = (long) block * columns * ROWS + row - firstRow(block);
        for (int column = 0; column < columns; column++, at += ROWS) {
            y[yOffset + column] = blocks.get(ValueLayout.JAVA_BYTE, at) * scale;
        }
    }

    /** The last block ends with the last row: some rows are in two blocks. */
    private int firstRow(int block) {
        return Math.min(block * ROWS, rows - ROWS);
    }

    @Override
    public void products(float[] x, int xOffset, float[] y, int yOffset) {
        if (rows < ROWS) {
            fewRows(x, xOffset, y, yOffset);
            return;
        }
        for (int block = 0; block * ROWS < rows; block++) {
            block((long) block * columns * ROWS, x, xOffset, y, yOffset + firstRow(block));
        }
    }

    @Override
    public void productsOfTwo(float[] x, int first, int second, float[] y, int yFirst, int ySecond) {
        if (rows < ROWS || PARTS != 1) {
            products(x, first, y, yFirst);
            products(x, second, y, ySecond);
            return;
        }
        for (int block = 0; block * ROWS < rows; block++) {
            long at = (long) block * columns * ROWS;
            int row = firstRow(block);
            for (int half = 0; half < ROWS; half += ROWS / 2) {
                two(blocks, at + half, x, first, second, columns, y, yFirst + row + half, ySecond + row + half);
            }
        }
    }

    private void fewRows(float[] x, int xOffset, float[] y, int yOffset) {
        for (int row = 0; row < rows; row++) {
            float sum = 0;
            for (int i = 0; i < columns; i++) {
                sum = Math.fma(few[row * columns + i], x[xOffset + i], sum);
            }
            y[yOffset + row] = sum;
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
                    .convertShape(VectorOperators.B2I, INTS, 0)
                    .convert(VectorOperators.I2F, 0)).fma(input, s0);
            s1 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + LANES, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0)
                    .convert(VectorOperators.I2F, 0)).fma(input, s1);
            s2 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 2 * LANES, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0)
                    .convert(VectorOperators.I2F, 0)).fma(input, s2);
            s3 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 3 * LANES, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0)
                    .convert(VectorOperators.I2F, 0)).fma(input, s3);
            s4 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 4 * LANES, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0)
                    .convert(VectorOperators.I2F, 0)).fma(input, s4);
            s5 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 5 * LANES, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0)
                    .convert(VectorOperators.I2F, 0)).fma(input, s5);
            s6 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 6 * LANES, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0)
                    .convert(VectorOperators.I2F, 0)).fma(input, s6);
            s7 = ((FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 7 * LANES, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0)
                    .convert(VectorOperators.I2F, 0)).fma(input, s7);
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

    /** Half of a block for two inputs: a code is brought to float once. */
    private static void two(MemorySegment blocks, long at, float[] x, int first, int second, int columns, float[] y,
            int yFirst, int ySecond) {
        FloatVector s0 = FloatVector.zero(FLOATS);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        FloatVector t0 = s0;
        FloatVector t1 = s0;
        FloatVector t2 = s0;
        FloatVector t3 = s0;
        long p = at;
        for (int column = 0; column < columns; column++, p += ROWS) {
            FloatVector a = FloatVector.broadcast(FLOATS, x[first + column]);
            FloatVector b = FloatVector.broadcast(FLOATS, x[second + column]);
            FloatVector codes = (FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0).convert(VectorOperators.I2F, 0);
            s0 = codes.fma(a, s0);
            t0 = codes.fma(b, t0);
            codes = (FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + LANES, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0).convert(VectorOperators.I2F, 0);
            s1 = codes.fma(a, s1);
            t1 = codes.fma(b, t1);
            codes = (FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 2 * LANES, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0).convert(VectorOperators.I2F, 0);
            s2 = codes.fma(a, s2);
            t2 = codes.fma(b, t2);
            codes = (FloatVector) ByteVector.fromMemorySegment(BYTES, blocks, p + 3 * LANES, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0).convert(VectorOperators.I2F, 0);
            s3 = codes.fma(a, s3);
            t3 = codes.fma(b, t3);
        }
        s0.intoArray(y, yFirst);
        s1.intoArray(y, yFirst + LANES);
        s2.intoArray(y, yFirst + 2 * LANES);
        s3.intoArray(y, yFirst + 3 * LANES);
        t0.intoArray(y, ySecond);
        t1.intoArray(y, ySecond + LANES);
        t2.intoArray(y, ySecond + 2 * LANES);
        t3.intoArray(y, ySecond + 3 * LANES);
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
            s0 = ((FloatVector) codes.convertShape(VectorOperators.B2I, INTS, 0)
                    .convert(VectorOperators.I2F, 0)).fma(input, s0);
            s1 = ((FloatVector) codes.convertShape(VectorOperators.B2I, INTS, 1)
                    .convert(VectorOperators.I2F, 0)).fma(input, s1);
            codes = ByteVector.fromMemorySegment(BYTES, blocks, p + 2 * LANES, ORDER);
            s2 = ((FloatVector) codes.convertShape(VectorOperators.B2I, INTS, 0)
                    .convert(VectorOperators.I2F, 0)).fma(input, s2);
            s3 = ((FloatVector) codes.convertShape(VectorOperators.B2I, INTS, 1)
                    .convert(VectorOperators.I2F, 0)).fma(input, s3);
            codes = ByteVector.fromMemorySegment(BYTES, blocks, p + 4 * LANES, ORDER);
            s4 = ((FloatVector) codes.convertShape(VectorOperators.B2I, INTS, 0)
                    .convert(VectorOperators.I2F, 0)).fma(input, s4);
            s5 = ((FloatVector) codes.convertShape(VectorOperators.B2I, INTS, 1)
                    .convert(VectorOperators.I2F, 0)).fma(input, s5);
            codes = ByteVector.fromMemorySegment(BYTES, blocks, p + 6 * LANES, ORDER);
            s6 = ((FloatVector) codes.convertShape(VectorOperators.B2I, INTS, 0)
                    .convert(VectorOperators.I2F, 0)).fma(input, s6);
            s7 = ((FloatVector) codes.convertShape(VectorOperators.B2I, INTS, 1)
                    .convert(VectorOperators.I2F, 0)).fma(input, s7);
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
