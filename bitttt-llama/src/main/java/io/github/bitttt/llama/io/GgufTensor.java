package io.github.bitttt.llama.io;

import io.github.bitttt.tensor.CodeRows;
import io.github.bitttt.tensor.TernaryMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.IntUnaryOperator;

/**
 * A tensor of a GGUF file, read row by row where it is used.
 *
 * @param type    of its blocks
 * @param rows    of a matrix; 1 of a row of numbers
 * @param columns numbers of a row, whole blocks
 * @param data    its bytes in the mapped file
 */
record GgufTensor(GgufType type, int rows, int columns, MemorySegment data) {
    /** Behind the codes of an I2_S tensor: its scale, and bytes of nothing. */
    static final int I2_S_TAIL = 32;

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);

    /** What a tensor takes.
     *
     * @return bytes
     * @throws ArithmeticException if they are no long */
    static long size(GgufType type, long numbers) {
        return Math.addExact(Math.multiplyExact(numbers / type.numbers(), (long) type.bytes()),
                type == GgufType.I2_S ? I2_S_TAIL : 0);
    }

    /** Reads a row as numbers. */
    void row(int row, float[] values) {
        long at = start(row);
        if (type.ternary()) {
            byte[] codes = new byte[type.numbers()];
            for (int column = 0; column < columns; column += type.numbers(), at += type.bytes()) {
                type.codes(data, at, codes, 0);
                float scale = type == GgufType.I2_S ? scaleOfAll() : type.scale(data, at);
                for (int i = 0; i < codes.length; i++) {
                    values[column + i] = scale * codes[i];
                }
            }
            return;
        }
        for (int column = 0; column < columns; column += type.numbers(), at += type.bytes()) {
            type.floats(data, at, values, column);
        }
    }

    /** The ternary matrix, with one scale where all blocks that have codes other than 0 have the same, else with one for each block.
     *
     * @param order which row of the file each row is
     * @param times what scales are multiplied by
     * @throws IllegalStateException    if the numbers are not ternary
     * @throws IllegalArgumentException if a code is none, or a scale is not finite */
    TernaryMatrix ternary(IntUnaryOperator order, float times) {
        if (!type.ternary()) {
            throw new IllegalStateException("a ternary tensor (I2_S, TQ1_0, TQ2_0, Q2_0, PQ2_0, PTQ1_0) is needed, got "
                    + type + "; only ternary models are read");
        }
        CodeRows codes = (row, to, offset) -> codes(order.applyAsInt(row), to, offset);
        if (type == GgufType.I2_S) {
            return TernaryMatrix.ofRows(codes, rows, columns, checked(scaleOfAll() * times));
        }
        int groups = columns / type.numbers();
        float[] scales = new float[Math.multiplyExact(rows, groups)];
        float common = 0;
        boolean same = true;
        for (int row = 0; row < rows; row++) {
            long at = start(order.applyAsInt(row));
            for (int group = 0; group < groups; group++, at += type.bytes()) {
                float scale = checked(type.scale(data, at) * times);
                scales[row * groups + group] = scale;
                // A block of zeros alone may say 0.
                common = common == 0 ? scale : common;
                same &= scale == common || scale == 0 && isZero(at);
            }
        }
        return same
                ? TernaryMatrix.ofRows(codes, rows, columns, common)
                : TernaryMatrix.ofGroups(codes, rows, columns, type.numbers(), scales);
    }

    private static float checked(float scale) {
        if (!(Math.abs(scale) <= Checkpoint.MAX_MAGNITUDE)) {
            throw new IllegalArgumentException(
                    "a scale must be at most " + Checkpoint.MAX_MAGNITUDE + " in magnitude, got " + scale);
        }
        return scale;
    }

    private boolean isZero(long at) {
        byte[] codes = new byte[type.numbers()];
        type.codes(data, at, codes, 0);
        for (byte code : codes) {
            if (code != 0) {
                return false;
            }
        }
        return true;
    }

    private void codes(int row, byte[] to, int offset) {
        long at = start(row);
        for (int column = 0; column < columns; column += type.numbers(), at += type.bytes()) {
            type.codes(data, at, to, offset + column);
        }
    }

    private long start(int row) {
        return (long) row * (columns / type.numbers()) * type.bytes();
    }

    private float scaleOfAll() {
        return data.get(FLOAT, data.byteSize() - I2_S_TAIL);
    }
}
