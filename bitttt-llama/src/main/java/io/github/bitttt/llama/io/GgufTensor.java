package io.github.bitttt.llama.io;

import io.github.bitttt.tensor.CodeRows;
import io.github.bitttt.tensor.TernaryMatrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

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
     * @param order of rows and columns
     * @param times what scales are multiplied by
     * @throws IllegalStateException    if the numbers are not ternary
     * @throws IllegalArgumentException if a code is none, or a scale is not finite */
    TernaryMatrix ternary(GgufPlace order, float times) {
        if (!type.ternary()) {
            throw new IllegalStateException("a ternary tensor (I2_S, TQ1_0, TQ2_0, Q2_0, PQ2_0, PTQ1_0) is needed, got "
                    + type + "; only ternary models are read");
        }
        int count = order.count();
        CodeRows codes = rowsIn(order);
        if (type == GgufType.I2_S) {
            return TernaryMatrix.ofRows(codes, count, columns, checked(scaleOfAll() * times));
        }
        int groups = columns / type.numbers();
        if (order.columns().isPresent() && columns / order.blocks() % type.numbers() != 0) {
            throw new IllegalArgumentException("columns move by " + columns / order.blocks()
                    + ", which must be a multiple of the " + type.numbers() + " that have one scale");
        }
        float[] scales = new float[Math.multiplyExact(count, groups)];
        float common = 0;
        boolean same = true;
        for (int row = 0; row < count; row++) {
            for (int group = 0; group < groups; group++) {
                long at = start(order.rows().applyAsInt(row))
                        + (long) order.column(group * type.numbers(), columns) / type.numbers() * type.bytes();
                float scale = checked(type.scale(data, at) * times);
                scales[row * groups + group] = scale;
                // A block of zeros alone may say 0.
                common = common == 0 ? scale : common;
                same &= scale == common || scale == 0 && isZero(at);
            }
        }
        return same
                ? TernaryMatrix.ofRows(codes, count, columns, common)
                : TernaryMatrix.ofGroups(codes, count, columns, type.numbers(), scales);
    }

    private CodeRows rowsIn(GgufPlace order) {
        if (order.columns().isEmpty()) {
            return (row, to, offset) -> codes(order.rows().applyAsInt(row), to, offset);
        }
        byte[] whole = new byte[columns];
        return (row, to, offset) -> {
            codes(order.rows().applyAsInt(row), whole, 0);
            for (int column = 0; column < columns; column++) {
                to[offset + column] = whole[order.column(column, columns)];
            }
        };
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
