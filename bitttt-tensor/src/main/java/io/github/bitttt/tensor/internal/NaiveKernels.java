package io.github.bitttt.tensor.internal;

/**
 * The meaning of every kernel: plain loops, never tuned. Each fast kernel is tested against its twin here.
 */
public final class NaiveKernels {
    private NaiveKernels() {
    }

    /** y[r] = sum of x over codes +1, less the sum over codes -1: exact.
     *
     * @param codes   [rows, columns] in row order, each -1, 0 or 1
     * @param columns of the matrix
     * @param x       int8 inputs
     * @param xOffset of the first input
     * @param y       [rows] sums */
    public static void sums(byte[] codes, int columns, byte[] x, int xOffset, int[] y) {
        for (int row = 0; row < y.length; row++) {
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

    /** y[r] = scale * (sum of x over codes +1, less the sum over codes -1), accumulated in double.
     *
     * @param codes   [rows, columns] in row order, each -1, 0 or 1
     * @param columns of the matrix
     * @param scale   of the product
     * @param x       float inputs
     * @param xOffset of the first input
     * @param y       outputs
     * @param yOffset of the first output
     * @param rows    how many outputs */
    public static void floatSums(byte[] codes, int columns, float scale, float[] x, int xOffset, float[] y, int yOffset,
            int rows) {
        for (int row = 0; row < rows; row++) {
            double sum = 0;
            for (int column = 0; column < columns; column++) {
                int code = codes[row * columns + column];
                if (code > 0) {
                    sum += x[xOffset + column];
                } else if (code < 0) {
                    sum -= x[xOffset + column];
                }
            }
            y[yOffset + row] = (float) (sum * scale);
        }
    }

    /** Rounds a row to int8: s = 127 / max(max |x|, 1e-5), code = clamp(rint(x s), -127, 127), in float.
     *
     * @param x           inputs
     * @param xOffset     of the first input
     * @param columns     how many
     * @param codes       outputs
     * @param codesOffset of the first output
     * @return s */
    public static float round(float[] x, int xOffset, int columns, byte[] codes, int codesOffset) {
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
}
