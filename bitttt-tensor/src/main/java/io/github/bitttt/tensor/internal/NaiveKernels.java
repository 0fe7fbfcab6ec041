package io.github.bitttt.tensor.internal;

/**
 * The meaning of every kernel: plain loops, never tuned. Each fast kernel is tested against its twin here.
 */
public final class NaiveKernels implements Kernels {
    /** The family. */
    public static final NaiveKernels INSTANCE = new NaiveKernels();

    private static final FloatKernels FLOATS = new FloatKernels() {
    };

    private NaiveKernels() {
    }

    private record InOrder(byte[] codes, int rows, int columns) implements Weights {
        @Override
        public long bytes() {
            return codes.length;
        }

        @Override
        public void read(int row, byte[] to, int offset) {
            System.arraycopy(codes, row * columns, to, offset, columns);
        }

        @Override
        public String kernel() {
            return "naive";
        }

        @Override
        public void products(Int8Input x, int first, int n, float scale, float[] y, int yOffset, int yStride) {
            int[] sums = x.ints(rows);
            for (int t = 0; t < n; t++) {
                NaiveKernels.sums(codes, rows, columns, x.codes(), (first + t) * columns, sums);
                scale(sums, rows, scale / x.scales()[first + t], y, yOffset + t * yStride);
            }
        }
    }

    /** y_r = factor * sums_r, in float.
     *
     * @param sums    exact
     * @param rows    how many
     * @param factor  of each
     * @param y       outputs
     * @param yOffset of the first */
    public static void scale(int[] sums, int rows, float factor, float[] y, int yOffset) {
        for (int row = 0; row < rows; row++) {
            y[yOffset + row] = sums[row] * factor;
        }
    }

    @Override
    public String name() {
        return "naive";
    }

    @Override
    public Weights weights(Codes codes, int rows, int columns) {
        return new InOrder(codes.all(rows, columns), rows, columns);
    }

    @Override
    public FloatKernels floats() {
        return FLOATS;
    }

    /** y[r] = sum of x over codes +1, less the sum over codes -1: exact.
     *
     * @param codes   [rows, columns] in row order, each -1, 0 or 1
     * @param rows    of the matrix
     * @param columns of the matrix
     * @param x       int8 inputs
     * @param xOffset of the first input
     * @param y       [rows] sums */
    public static void sums(byte[] codes, int rows, int columns, byte[] x, int xOffset, int[] y) {
        for (int row = 0; row < rows; row++) {
            int sum = 0;
            for (int column = 0; column < columns; column++) {
                int code = codes[row * columns + column];
                if (code > 0) {
                    sum += x[xOffset + column];
                } else if (code < 0) {
                    sum -= x[xOffset + column];
                }
            }
            y[row] = sum;
        }
    }

    /** y[r] = 1 / s * (sum over groups of scale * (sum of x over codes +1, less the sum over codes -1)), in float, from the first
     * group to the last.
     *
     * @param codes   [rows, columns] in row order, each -1, 0 or 1
     * @param rows    of the matrix
     * @param columns of the matrix
     * @param size    inputs of a group
     * @param scales  [rows, groups] in row order
     * @param x       int8 inputs of one row
     * @param s       what the inputs were multiplied by
     * @param y       [rows] outputs */
    public static void groupedSums(byte[] codes, int rows, int columns, int size, float[] scales, byte[] x, float s,
            float[] y) {
        for (int row = 0; row < rows; row++) {
            float total = 0;
            for (int group = 0; group < columns / size; group++) {
                int sum = 0;
                for (int column = group * size; column < (group + 1) * size; column++) {
                    sum += codes[row * columns + column] * x[column];
                }
                total += sum * scales[row * (columns / size) + group];
            }
            y[row] = total * (1 / s);
        }
    }

    /** The sum of x over codes +1, less the sum over codes -1, accumulated in double.
     *
     * @param codes   of a row, each -1, 0 or 1
     * @param from    the first of them
     * @param to      behind the last
     * @param x       float inputs
     * @param xOffset of the input of code 0
     * @return the sum */
    public static double floatSum(byte[] codes, int from, int to, float[] x, int xOffset) {
        double sum = 0;
        for (int column = from; column < to; column++) {
            if (codes[column] > 0) {
                sum += x[xOffset + column];
            } else if (codes[column] < 0) {
                sum -= x[xOffset + column];
            }
        }
        return sum;
    }

    @Override
    public float round(float[] x, int xOffset, int columns, byte[] codes, int codesOffset) {
        float largest = 1e-5f;
        for (int i = 0; i < columns; i++) {
            largest = Math.max(largest, Math.abs(x[xOffset + i]));
        }
        float scale = 127 / largest;
        for (int i = 0; i < columns; i++) {
            codes[codesOffset + i] = (byte) Math.clamp(Math.rint(x[xOffset + i] * scale), -127, 127);
        }
        return scale;
    }

    @Override
    public float roundAway(float[] x, int xOffset, int columns, byte[] codes, int codesOffset) {
        float largest = 0;
        for (int i = 0; i < columns; i++) {
            largest = Math.max(largest, Math.abs(x[xOffset + i]));
        }
        float scale = largest < 1e-9f ? 1 : 127 / largest;
        for (int i = 0; i < columns; i++) {
            double scaled = x[xOffset + i] * scale;
            codes[codesOffset + i] = (byte) Math.clamp(Math.copySign(Math.floor(Math.abs(scaled) + 0.5), scaled), -127,
                    127);
        }
        return scale;
    }
}
