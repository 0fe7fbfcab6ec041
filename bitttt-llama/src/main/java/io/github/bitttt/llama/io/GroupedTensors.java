package io.github.bitttt.llama.io;

import io.github.bitttt.nn.Param;
import io.github.bitttt.tensor.TernaryMatrix;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.IntUnaryOperator;

/**
 * Ternary matrices with a scale for each group of inputs of a row, as other people write them: plain floats whose groups are ternary, and
 * MLX's two bits a code.
 */
final class GroupedTensors {
    /** The sizes of a group that floats are tried with; the larger one first. */
    private static final List<Integer> SIZES = List.of(128, 64);
    /** How far a number may be from -1, 0 or 1 times its group's scale, as a share of that. */
    private static final double TOLERANCE = 1e-3;
    private static final ValueLayout.OfInt WORD = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int CODES_OF_A_WORD = 16;

    private GroupedTensors() {
    }

    /** A matrix of floats, of which each group has the numbers -s, 0 and s only; s is its largest magnitude.
     *
     * @throws IllegalArgumentException if a group has others */
    static TernaryMatrix ofFloats(Tensor tensor, Param param, IntUnaryOperator order) {
        for (int size : SIZES) {
            if (param.columns() % size == 0 && (size == SIZES.getLast() || isTernary(tensor, param, size))) {
                return ofFloats(tensor, param, order, size);
            }
        }
        throw new IllegalArgumentException("rows of ternary groups are a multiple of 64 wide, got " + param.columns());
    }

    private static boolean isTernary(Tensor tensor, Param param, int size) {
        float[] row = new float[param.columns()];
        byte[] codes = new byte[row.length];
        try {
            // Where groups are half as wide, the first rows show it.
            for (int i = 0; i < Math.min(param.rows(), 64); i++) {
                tensor.floats((long) i * row.length, row);
                codes(row, size, i, codes, 0);
            }
            return true;
        } catch (IllegalArgumentException e) {
            return false;
        }
    }

    private static TernaryMatrix ofFloats(Tensor tensor, Param param, IntUnaryOperator order, int size) {
        int groups = param.columns() / size;
        float[] scales = new float[Math.multiplyExact(param.rows(), groups)];
        float[] row = new float[param.columns()];
        for (int i = 0; i < param.rows(); i++) {
            tensor.floats((long) order.applyAsInt(i) * row.length, row);
            for (int group = 0; group < groups; group++) {
                scales[i * groups + group] = scale(row, group * size, size, i);
            }
        }
        return TernaryMatrix.ofGroups((i, to, offset) -> {
            tensor.floats((long) order.applyAsInt(i) * row.length, row);
            codes(row, size, i, to, offset);
        }, param.rows(), param.columns(), size, scales);
    }

    private static float scale(float[] row, int from, int size, int number) {
        float largest = 0;
        for (int i = from; i < from + size; i++) {
            // A number that is none is not skipped by the maximum.
            largest = Math.max(largest, Math.abs(row[i]));
        }
        if (!(largest <= Checkpoint.MAX_MAGNITUDE)) {
            throw new IllegalArgumentException("every number must be at most " + Checkpoint.MAX_MAGNITUDE
                    + " in magnitude, got " + largest + " in row " + number);
        }
        return largest;
    }

    private static void codes(float[] row, int size, int number, byte[] to, int offset) {
        for (int from = 0; from < row.length; from += size) {
            float scale = scale(row, from, size, number);
            for (int i = from; i < from + size; i++) {
                double ratio = scale == 0 ? 0 : (double) row[i] / scale;
                double code = Math.rint(ratio);
                if (Math.abs(ratio - code) > TOLERANCE) {
                    throw new IllegalArgumentException(
                            "group " + from / size + " of " + size + " inputs in row " + number
                                    + " is not ternary: " + row[i] + " is no -1, 0 or 1 times " + scale
                                    + "; only ternary models are read");
                }
                to[offset + i] = (byte) code;
            }
        }
    }

    /**
     * MLX's form of a matrix: sixteen codes in a word, w = scale code + bias, where bias is -scale.
     *
     * @param words   U32 [rows, columns / 16]
     * @param scales  [rows, groups]
     * @param columns of the matrix
     */
    record Mlx(Tensor words, float[] scales, int columns) {
        /** Finds the three tensors of a matrix.
         *
         * @throws CheckpointException if one is missing, or a bias is not the scale's opposite */
        static Mlx of(TensorSource source, String name, int rows, int columns) throws CheckpointException {
            String prefix = name.substring(0, name.length() - "weight".length());
            if (columns % CODES_OF_A_WORD != 0) {
                throw new CheckpointException(source.file(name), "tensor " + name + " must have a multiple of "
                        + CODES_OF_A_WORD + " columns, got " + columns);
            }
            Tensor words = source.get(name, List.of(rows, columns / CODES_OF_A_WORD));
            List<Long> shape = source.get(prefix + "scales").shape();
            long groups = shape.size() == 2 ? shape.getLast() : 0;
            if (groups < 1 || columns % groups != 0) {
                throw new CheckpointException(source.file(name), "tensor " + prefix
                        + "scales must have a scale for each group of columns, got " + shape);
            }
            List<Integer> expected = List.of(rows, (int) groups);
            float[] scales = source.floats(prefix + "scales", expected, Checkpoint.MAX_MAGNITUDE);
            float[] biases = source.floats(prefix + "biases", expected, Checkpoint.MAX_MAGNITUDE);
            for (int i = 0; i < scales.length; i++) {
                if (biases[i] != -scales[i]) {
                    throw new CheckpointException(source.file(name), "tensor " + prefix
                            + "biases must be the opposites of scales, got " + biases[i] + " for " + scales[i] + " at "
                            + i + "; only ternary models are read");
                }
            }
            return new Mlx(words, scales, columns);
        }

        /** Some of the rows, in an order of theirs. */
        TernaryMatrix matrix(int count, IntUnaryOperator order) {
            int groups = groups();
            float[] chosen = new float[Math.multiplyExact(count, groups)];
            for (int row = 0; row < count; row++) {
                System.arraycopy(scales, order.applyAsInt(row) * groups, chosen, row * groups, groups);
            }
            return TernaryMatrix.ofGroups((row, to, offset) -> codes(order.applyAsInt(row), to, offset), count, columns,
                    columns / groups, chosen);
        }

        private int groups() {
            return scales.length / Math.toIntExact(words.shape().getFirst());
        }

        /** Code 3 comes out as 2, which no matrix accepts. */
        private void codes(int row, byte[] to, int offset) {
            for (int i = 0; i < columns; i++) {
                int word = words.data().getAtIndex(WORD,
                        (long) row * (columns / CODES_OF_A_WORD) + i / CODES_OF_A_WORD);
                to[offset + i] = (byte) ((word >>> 2 * (i % CODES_OF_A_WORD) & 3) - 1);
            }
        }

        /** Reads a row as numbers. */
        void row(int row, float[] to) {
            byte[] codes = new byte[columns];
            codes(row, codes, 0);
            int groups = groups();
            for (int i = 0; i < columns; i++) {
                if (codes[i] > 1) {
                    throw new IllegalArgumentException(
                            "codes must be 0, 1 or 2, got 3 at row " + row + ", column " + i);
                }
                to[i] = codes[i] * scales[row * groups + i / (columns / groups)];
            }
        }
    }
}
