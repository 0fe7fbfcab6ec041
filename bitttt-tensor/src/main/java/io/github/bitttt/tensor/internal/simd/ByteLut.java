package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.Int8Input;
import io.github.bitttt.tensor.internal.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
    private final int lanes;
    private final int rowBytes;

    /** A byte of codes.
     *
     * @see #of */
    interface Code {
        /** The code of inputs from one on; those behind the last column have weight 0. */
        byte of(byte[] ternary, int rowAt, int columns, int column);
    }

    ByteLut(byte[] ternary, int rows, int columns, int lanes, int rowBytes, int inputsOfByte, Code code) {
        this.rows = rows;
        this.lanes = lanes;
        this.rowBytes = rowBytes;
        byte[] ordered = new byte[Math.multiplyExact(Math.ceilDiv(rows, lanes) * lanes, rowBytes)];
        for (int to = 0; to < ordered.length; to++) {
            int lane = to % lanes;
            int row = to / (lanes * rowBytes) * lanes + (lane & 1) * lanes / 2 + (lane >> 1 & 1) * lanes / 4
                    + (lane >> 2);
            ordered[to] = row < rows
                    ? code.of(ternary, row * columns, columns, to / lanes % rowBytes * inputsOfByte)
                    : 0;
        }
        codes = Arena.ofAuto().allocate(ordered.length, 64);
        MemorySegment.copy(ordered, 0, codes, ValueLayout.JAVA_BYTE, 0, ordered.length);
    }

    /** The kernel's own tables. */
    abstract Int8Input.Tables tables();

    /** y = factor sum, for the rows of some blocks. */
    abstract void blocks(MemorySegment codes, long codesAt, MemorySegment tables, long tablesAt, float factor,
            float[] y,
            int yOffset, int blocks);

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
