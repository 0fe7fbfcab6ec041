package io.github.bitttt.llama.io;

import java.util.Optional;
import java.util.function.IntUnaryOperator;

/**
 * Which part of a tensor of a GGUF file one of our parameters is.
 *
 * @param name    of the tensor
 * @param count   rows of the parameter
 * @param whole   rows of the tensor
 * @param rows    which row of the tensor each of the parameter's is
 * @param blocks  of columns that move as one
 * @param columns which block of columns of the tensor each of the parameter's is, if they move
 */
record GgufPlace(String name, int count, int whole, IntUnaryOperator rows, int blocks,
        Optional<IntUnaryOperator> columns) {
    /** A tensor that is the parameter. */
    static GgufPlace of(String name, int rows) {
        return new GgufPlace(name, rows, rows, IntUnaryOperator.identity(), 1, Optional.empty());
    }

    GgufPlace withRows(int tensorRows, IntUnaryOperator order) {
        return new GgufPlace(name, count, tensorRows, order, blocks, columns);
    }

    GgufPlace withColumns(int number, IntUnaryOperator order) {
        return new GgufPlace(name, count, whole, rows, number, Optional.of(order));
    }

    /** The column of the tensor. */
    int column(int column, int all) {
        if (columns.isEmpty()) {
            return column;
        }
        int width = all / blocks;
        return columns.get().applyAsInt(column / width) * width + column % width;
    }
}
