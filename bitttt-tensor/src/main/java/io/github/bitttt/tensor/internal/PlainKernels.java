package io.github.bitttt.tensor.internal;

import java.util.Arrays;

/**
 * Kernels without the vector module, in loops that the compiler turns into vector instructions. Naive twin:
 * {@link NaiveKernels}.
 *
 * <p>Eight codes, each plus 1, share a char; neighbouring rows lie side by side, so that lanes are rows. A sum of 256 inputs
 * times codes 0, 1, 2 is right modulo 2^16, and so is what remains when the inputs' own sum is taken off.
 */
public final class PlainKernels implements Kernels {
    /** The family. */
    public static final PlainKernels INSTANCE = new PlainKernels();

    private static final int CODES = 8; // of a char
    private static final int BLOCK = 32; // chars: 256 inputs of at most 127 sum to less than 2^15

    private static final FloatKernels FLOATS = new PlainFloats();

    private PlainKernels() {
    }

    @Override
    public String name() {
        return "plain";
    }

    @Override
    public Weights weights(Codes codes, int rows, int columns) {
        int groups = Math.ceilDiv(columns, CODES);
        char[] packed = new char[Math.multiplyExact(groups, rows)];
        byte[] codesOfRow = new byte[groups * CODES]; // zeros behind the last column
        for (int row = 0; row < rows; row++) {
            codes.read(row, codesOfRow, 0);
            for (int group = 0; group < groups; group++) {
                int eight = 0;
                for (int i = 0; i < CODES; i++) {
                    eight |= codesOfRow[group * CODES + i] + 1 << 2 * i;
                }
                packed[group * rows + row] = (char) eight;
            }
        }
        return new Packed(packed, rows, columns);
    }

    private record Packed(char[] packed, int rows, int columns) implements Weights {
        @Override
        public String kernel() {
            return "plain";
        }

        @Override
        public long bytes() {
            return 2L * packed.length;
        }

        @Override
        public void read(int row, byte[] to, int offset) {
            for (int column = 0; column < columns; column++) {
                to[offset + column] = (byte) ((packed[column / CODES * rows + row] >> 2 * (column % CODES) & 3) - 1);
            }
        }

        @Override
        public void products(Int8Input x, int first, int n, float scale, float[] y, int yOffset, int yStride) {
            int[] sums = x.ints(rows);
            for (int t = 0; t < n; t++) {
                sums(x, first + t, sums);
                NaiveKernels.scale(sums, rows, scale / x.scales()[first + t], y, yOffset + t * yStride);
            }
        }

        private void sums(Int8Input x, int row, int[] y) {
            short[] sums = x.shorts(rows);
            int groups = Math.ceilDiv(columns, CODES);
            Arrays.fill(y, 0, rows, 0);
            for (int block = 0; block < groups; block += BLOCK) {
                Arrays.fill(sums, 0, rows, (short) 0);
                int inputs = 0;
                for (int group = block; group < Math.min(groups, block + BLOCK); group++) {
                    int at = row * columns + group * CODES;
                    int[] in = new int[CODES];
                    for (int i = 0; i < CODES && group * CODES + i < columns; i++) {
                        in[i] = x.codes()[at + i];
                        inputs += in[i];
                    }
                    accumulate(packed, group * rows, sums, rows, in[0], in[1], in[2], in[3], in[4], in[5], in[6],
                            in[7]);
                }
                for (int i = 0; i < rows; i++) {
                    y[i] += (short) (sums[i] - inputs);
                }
            }
        }

        // The compound assignment would keep the compiler from using vectors.
        private static void accumulate(char[] packed, int offset, short[] sums, int rows, int x0, int x1, int x2,
                int x3,
                int x4, int x5, int x6, int x7) {
            for (int i = 0; i < rows; i++) {
                int codes = packed[offset + i];
                sums[i] = (short) (sums[i] + (codes & 3) * x0 + (codes >>> 2 & 3) * x1 + (codes >>> 4 & 3) * x2
                        + (codes >>> 6 & 3) * x3 + (codes >>> 8 & 3) * x4 + (codes >>> 10 & 3) * x5
                        + (codes >>> 12 & 3) * x6
                        + (codes >>> 14) * x7);
            }
        }
    }

    @Override
    public FloatKernels floats() {
        return FLOATS;
    }

    /** Sums in eight independent chains. */
    private static final class PlainFloats implements FloatKernels {
        @Override
        public float dot(float[] a, int aOffset, float[] b, int bOffset, int n) {
            float s0 = 0;
            float s1 = 0;
            float s2 = 0;
            float s3 = 0;
            int i = 0;
            for (; i + 4 <= n; i += 4) {
                s0 += a[aOffset + i] * b[bOffset + i];
                s1 += a[aOffset + i + 1] * b[bOffset + i + 1];
                s2 += a[aOffset + i + 2] * b[bOffset + i + 2];
                s3 += a[aOffset + i + 3] * b[bOffset + i + 3];
            }
            for (; i < n; i++) {
                s0 += a[aOffset + i] * b[bOffset + i];
            }
            return s0 + s1 + (s2 + s3);
        }

        @Override
        public void besides(float[] x, int xOffset, float[] block, int offset, int n, float factor, float[] y) {
            Arrays.fill(y, 0, SIDE_BY_SIDE, 0);
            for (int i = 0; i < n; i++) {
                addScaled(x[xOffset + i] * factor, block, offset + i * SIDE_BY_SIDE, y, 0, SIDE_BY_SIDE);
            }
        }

        @Override
        public void weightedRows(float[] weights, int count, float[] rows, int offset, int stride, int n, float[] y,
                int yOffset) {
            Arrays.fill(y, yOffset, yOffset + n, 0);
            for (int s = 0; s < count; s++) {
                addScaled(weights[s], rows, offset + s * stride, y, yOffset, n);
            }
        }

        @Override
        public Int8Weights int8Weights(Codes codes, int rows, int columns) {
            byte[] turned = new byte[Math.multiplyExact(rows, columns)];
            byte[] codesOfRow = new byte[columns];
            for (int row = 0; row < rows; row++) {
                codes.read(row, codesOfRow, 0);
                for (int column = 0; column < columns; column++) {
                    turned[column * rows + row] = codesOfRow[column];
                }
            }
            return new Turned(turned, rows, columns);
        }

        @Override
        public DeltaWeights deltaWeights(int heads, int rows, int columns) {
            return new PlainDelta(heads, rows, columns);
        }
    }

    /** Int8 rows side by side, so that lanes are rows. */
    private record Turned(byte[] codes, int rows, int columns) implements FloatKernels.Int8Weights {
        @Override
        public void products(float[] x, int xOffset, float[] y, int yOffset) {
            Arrays.fill(y, yOffset, yOffset + rows, 0);
            for (int column = 0; column < columns; column++) {
                accumulate(codes, column * rows, x[xOffset + column], y, yOffset, rows);
            }
        }

        private static void accumulate(byte[] codes, int offset, float x, float[] y, int yOffset, int rows) {
            for (int row = 0; row < rows; row++) {
                y[yOffset + row] += codes[offset + row] * x;
            }
        }

        @Override
        public void read(int row, byte[] to, int offset) {
            for (int column = 0; column < columns; column++) {
                to[offset + column] = codes[column * rows + row];
            }
        }

        @Override
        public void row(int row, float scale, float[] y, int yOffset) {
            for (int column = 0; column < columns; column++) {
                y[yOffset + column] = codes[column * rows + row] * scale;
            }
        }
    }

    /** Columns of W are neighbours, so lanes are rows. */
    private static final class PlainDelta extends HeapDelta {
        private final float[] errors;

        PlainDelta(int heads, int rows, int columns) {
            super(heads, rows, columns);
            errors = new float[rows];
        }

        @Override
        public void step(int head, float[] keys, int keyOffset, float[] queries, int queryOffset, float[] values,
                int valueOffset, float rate, float decay, boolean after, float[] answer, int answerOffset) {
            // The answer's room holds W q while the errors are summed.
            int first = head * columns * rows;
            Arrays.fill(errors, 0);
            Arrays.fill(answer, answerOffset, answerOffset + rows, 0);
            float keyQuery = 0;
            for (int j = 0; j < columns; j++) {
                float key = keys[keyOffset + j];
                float query = queries[queryOffset + j];
                keyQuery += key * query;
                int column = first + j * rows;
                for (int i = 0; i < rows; i++) {
                    errors[i] -= w[column + i] * key;
                    answer[answerOffset + i] += w[column + i] * query;
                }
            }
            for (int i = 0; i < rows; i++) {
                errors[i] = rate * (values[valueOffset + i] + decay * errors[i]);
                answer[answerOffset + i] = decay * answer[answerOffset + i] + (after ? errors[i] * keyQuery : 0);
            }
            for (int j = 0; j < columns; j++) {
                float key = keys[keyOffset + j];
                int column = first + j * rows;
                for (int i = 0; i < rows; i++) {
                    w[column + i] = decay * w[column + i] + errors[i] * key;
                }
            }
        }
    }
}
