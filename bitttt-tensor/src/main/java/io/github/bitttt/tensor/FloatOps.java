package io.github.bitttt.tensor;

import io.github.bitttt.tensor.internal.FloatKernels;
import java.util.Objects;

/**
 * The float loops between ternary products, on the kernels of {@link KernelChoice}: checked here, computed there.
 *
 * <p>Sums are within n * 2^-23 * sum |x y| of the exact ones. All arrays are the caller's; nothing is allocated.
 */
public final class FloatOps {
    private FloatOps() {
    }

    private static FloatKernels kernels() {
        return KernelChoice.current().kernels().floats();
    }

    /** y = gain * x / sqrt(mean(x^2) + epsilon).
     *
     * @param x       inputs
     * @param xOffset of the first
     * @param gain    [n]
     * @param epsilon under the root
     * @param y       outputs
     * @param yOffset of the first */
    public static void rmsNorm(float[] x, int xOffset, float[] gain, double epsilon, float[] y, int yOffset) {
        Objects.checkFromIndexSize(xOffset, gain.length, x.length);
        Objects.checkFromIndexSize(yOffset, gain.length, y.length);
        kernels().rmsNorm(x, xOffset, gain, epsilon, y, yOffset, gain.length);
    }

    /** x = x / (||x|| + 1e-6), in place.
     *
     * @param x      numbers
     * @param offset of the first
     * @param n      elements */
    public static void normalize(float[] x, int offset, int n) {
        Objects.checkFromIndexSize(offset, n, x.length);
        kernels().normalize(x, offset, n);
    }

    /** y = gate / (1 + exp(-gate)) * up.
     *
     * @param gate inputs
     * @param up   inputs
     * @param y    outputs
     * @param n    elements of each, from the first */
    public static void siluMultiply(float[] gate, float[] up, float[] y, int n) {
        Objects.checkFromIndexSize(0, n, Math.min(gate.length, Math.min(up.length, y.length)));
        kernels().siluMultiply(gate, 0, up, 0, y, 0, n);
    }

    /** y = y + factor * x.
     *
     * @param factor  of x
     * @param x       what is added
     * @param xOffset of the first
     * @param y       changed in place
     * @param yOffset of the first
     * @param n       elements */
    public static void addScaled(float factor, float[] x, int xOffset, float[] y, int yOffset, int n) {
        Objects.checkFromIndexSize(xOffset, n, x.length);
        Objects.checkFromIndexSize(yOffset, n, y.length);
        kernels().addScaled(factor, x, xOffset, y, yOffset, n);
    }

    /** y = exp(x - shift), within 3e-7 of itself. Where the difference is under -87, y is at most 1.6e-38.
     *
     * @param x     inputs
     * @param shift such that no difference is above 87: the largest input, for instance
     * @param y     outputs; may be x
     * @param n     elements of each, from the first */
    public static void exp(float[] x, float shift, float[] y, int n) {
        Objects.checkFromIndexSize(0, n, Math.min(x.length, y.length));
        kernels().exp(x, shift, y, n);
    }

    /** y = log(x), within 2e-7 of itself or of 1, whichever is more.
     *
     * @param x at least 1.2e-38
     * @param y outputs; may be x
     * @param n elements of each, from the first */
    public static void log(float[] x, float[] y, int n) {
        Objects.checkFromIndexSize(0, n, Math.min(x.length, y.length));
        kernels().log(x, y, n);
    }

    /** sum of a_i b_i.
     *
     * @param a       first
     * @param aOffset of its first element
     * @param b       second
     * @param bOffset of its first element
     * @param n       elements
     * @return the sum */
    public static float dot(float[] a, int aOffset, float[] b, int bOffset, int n) {
        Objects.checkFromIndexSize(aOffset, n, a.length);
        Objects.checkFromIndexSize(bOffset, n, b.length);
        return kernels().dot(a, aOffset, b, bOffset, n);
    }

    /** y_r = sum of matrix[r, i] x_i.
     *
     * @param matrix  [rows, n] in row order
     * @param rows    of the matrix
     * @param x       holds the input
     * @param xOffset of its first element
     * @param n       columns
     * @param y       outputs
     * @param yOffset of the first */
    public static void matVec(float[] matrix, int rows, float[] x, int xOffset, int n, float[] y, int yOffset) {
        check((long) rows * n, matrix.length, x.length, xOffset, n, y.length, yOffset, rows);
        FloatKernels kernels = kernels();
        for (int row = 0; row < rows; row++) {
            y[yOffset + row] = kernels.dot(matrix, row * n, x, xOffset, n);
        }
    }

    /** Inner products with {@value TokenRows#BLOCK} columns that lie side by side: y_s = sum of x_i block[i, s].
     *
     * @param x      the input, [n]
     * @param blocks holds the block, [n, 64]
     * @param offset of its first number
     * @param y      receives 64 numbers */
    public static void besides(float[] x, float[] blocks, int offset, float[] y) {
        Objects.checkFromIndexSize(offset, (long) x.length * TokenRows.BLOCK, blocks.length);
        Objects.checkFromIndexSize(0, TokenRows.BLOCK, y.length);
        kernels().besides(x, 0, blocks, offset, x.length, 1, y);
    }

    private static void check(long needed, int elements, int inputs, int xOffset, int n, int outputs, int yOffset,
            int rows) {
        if (needed > elements) {
            throw new IllegalArgumentException(
                    "a matrix [" + rows + ", " + n + "] takes " + needed + " elements, got " + elements);
        }
        Objects.checkFromIndexSize(xOffset, n, inputs);
        Objects.checkFromIndexSize(yOffset, rows, outputs);
    }
}
