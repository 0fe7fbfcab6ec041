package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.Int8Input;
import io.github.bitttt.tensor.internal.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;

/**
 * What the look-up kernels share whose sums are bytes at first: the order of the codes, and the walk over tokens.
 *
 * <p>Weights lie by blocks of L rows, the lanes of a vector; lane r of a block holds row (r&1) L/2 + ((r>>1)&1) L/4 + (r>>2),
 * which is where widening puts it.
 */
abstract class ByteLut implements Kernels.Weights {
    private final MemorySegment codes;
    private final int rows;
    private final int columns;
    private final int lanes;
    private final int rowBytes;
    private final Code code;

    /** What a byte of codes means. */
    interface Code {
        /** How many weights a byte holds. */
        int inputs();

        /** The byte of some weights. */
        byte encode(byte[] ternary, int at);

        /** One of a byte's weights. */
        byte decode(byte of, int input);
    }

    ByteLut(Kernels.Codes ternary, int rows, int columns, int lanes, int rowBytes, Code code) {
        this.rows = rows;
        this.columns = columns;
        this.lanes = lanes;
        this.rowBytes = rowBytes;
        this.code = code;
        codes = Arena.ofAuto().allocate((long) Math.ceilDiv(rows, lanes) * lanes * rowBytes, 64);
        byte[] ordered = new byte[lanes * rowBytes];
        byte[] codesOfRow = new byte[rowBytes * code.inputs()]; // zeros behind the last column
        for (int block = 0; block * lanes < rows; block++) {
            Arrays.fill(ordered, (byte) 0);
            for (int row = block * lanes; row < Math.min(rows, (block + 1) * lanes); row++) {
                ternary.read(row, codesOfRow, 0);
                for (int i = 0; i < rowBytes; i++) {
                    ordered[i * lanes + lane(row)] = code.encode(codesOfRow, i * code.inputs());
                }
            }
            MemorySegment.copy(ordered, 0, codes, ValueLayout.JAVA_BYTE, (long) block * ordered.length,
                    ordered.length);
        }
    }

    private int lane(int row) {
        int of = row % lanes;
        return of % (lanes / 4) << 2 | of / (lanes / 4) % 2 << 1 | of / (lanes / 2);
    }

    @Override
    public void read(int row, byte[] to, int offset) {
        long at = (long) row / lanes * lanes * rowBytes + lane(row);
        for (int column = 0; column < columns; column++) {
            byte of = codes.get(ValueLayout.JAVA_BYTE, at + (long) column / code.inputs() * lanes);
            to[offset + column] = code.decode(of, column % code.inputs());
        }
    }

    /** The kernel's own tables. */
    abstract Int8Input.Tables tables();

    /** y = factor sum, for the rows of some blocks. */
    abstract void blocks(MemorySegment codes, long codesAt, MemorySegment tables, long tablesAt, float factor,
            float[] y,
            int yOffset, int blocks);

    @Override
    public long bytes() {
        return codes.byteSize();
    }

    @Override
    public void prepare(Int8Input x) {
        x.tables(tables());
    }

    @Override
    public void products(Int8Input x, int first, int n, float scale, float[] y, int yOffset, int yStride) {
        MemorySegment tables = x.tables(tables());
        int blocks = rows / lanes;
        int whole = blocks * lanes;
        for (int t = 0; t < n; t++) {
            long tablesAt = (first + t) * tables().bytes(x.columns());
            float factor = scale / x.scales()[first + t];
            blocks(codes, 0, tables, tablesAt, factor, y, yOffset + t * yStride, blocks);
            if (whole < rows) {
                // The last block may have more rows than there is room for.
                float[] last = x.floats(lanes);
                blocks(codes, (long) whole * rowBytes, tables, tablesAt, factor, last, 0, 1);
                System.arraycopy(last, 0, y, yOffset + t * yStride + whole, rows - whole);
            }
        }
    }

    /** A vector of numbers by their lane. */
    static byte[] lanes(int count, IntUnaryOperator value) {
        byte[] lanes = new byte[count];
        for (int lane = 0; lane < count; lane++) {
            lanes[lane] = (byte) value.applyAsInt(lane);
        }
        return lanes;
    }
}
