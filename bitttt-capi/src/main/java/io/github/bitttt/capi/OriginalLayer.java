package io.github.bitttt.capi;

import io.github.bitttt.tensor.DeltaMemory;
import io.github.bitttt.tensor.FloatOps;
import io.github.bitttt.tensor.RoundedRows;
import io.github.bitttt.tensor.Rounding;
import io.github.bitttt.tensor.TernaryMatrix;
import java.util.random.RandomGenerator;

/**
 * The one layer of the original Bit-TTT engine, behind {@code ttt_create}, {@code ttt_forward} and {@code ttt_destroy}. Naive
 * twin: {@code NaiveOriginalLayer} in the tests.
 *
 * <pre>
 * f_t = down(x_t), f / ||f|| where ||f|| exceeds 1e-6
 * p_t = W f_t                       what the memory expects, before it learns
 * W   = W - rate (p_t - f_t) f_t^T  one step of gradient descent; W = 0 at the start of each text
 * y_t = up(p_t) + x_t
 * </pre>
 *
 * <p>Shapes: x and y [n, D], down [d, D], up [D, d], W [d, d], d = D/4. Codes are drawn -1, 0, 1 with 0.33, 0.33, 0.34, scale
 * 1; inputs of both products are rounded as {@link Rounding#ORIGINAL} says. For any thread: calls of one layer wait for
 * each other.
 */
final class OriginalLayer {
    /** Tokens between copies: as many as a kernel multiplies at once, so that their tables stay in the nearest cache. */
    private static final int BLOCK = 4;

    private final int width;
    private final int memoryWidth;
    private final float rate;
    private final TernaryMatrix down;
    private final TernaryMatrix up;
    private final RoundedRows inputs;
    private final RoundedRows answersRounded;
    private final float[] x;
    private final float[] features;
    private final float[] answers;
    private final float[] y;
    private final DeltaMemory memory;

    /** A layer with random weights.
     *
     * @param width  D, at least 4
     * @param rate   of the memory's gradient descent
     * @param random draws the codes of down, then those of up */
    OriginalLayer(long width, float rate, RandomGenerator random) {
        if (width < 4 || width > 1 << 16) {
            throw new IllegalArgumentException(
                    "hidden_dim must be 4 to 65536, got " + Long.toUnsignedString(width));
        }
        if (!Float.isFinite(rate)) {
            throw new IllegalArgumentException("inner_lr must be finite, got " + rate);
        }
        this.width = (int) width;
        this.rate = rate;
        memoryWidth = this.width / 4;
        down = random(memoryWidth, this.width, random);
        up = random(this.width, memoryWidth, random);
        inputs = new RoundedRows(this.width, Rounding.ORIGINAL);
        answersRounded = new RoundedRows(memoryWidth, Rounding.ORIGINAL);
        x = new float[BLOCK * this.width];
        features = new float[BLOCK * memoryWidth];
        answers = new float[BLOCK * memoryWidth];
        y = new float[BLOCK * this.width];
        memory = new DeltaMemory(1, memoryWidth, memoryWidth);
    }

    private static TernaryMatrix random(int rows, int columns, RandomGenerator random) {
        byte[] codes = new byte[rows * columns];
        for (int i = 0; i < codes.length; i++) {
            double draw = random.nextDouble();
            codes[i] = (byte) (draw < 0.33 ? -1 : draw < 0.66 ? 0 : 1);
        }
        return TernaryMatrix.ofCodes(codes, rows, columns, 1);
    }

    /** D to d.
     *  @return bare codes */
    TernaryMatrix down() {
        return down;
    }

    /** d to D.
     *  @return bare codes */
    TernaryMatrix up() {
        return up;
    }

    /** Reads a text with an empty memory.
     *
     * @param input  address of [n, D]
     * @param tokens n
     * @param output address of [n, D]; may be that of the input
     * @throws IllegalArgumentException if n is impossible, or input and output overlap otherwise */
    synchronized void forward(long input, long tokens, long output) {
        if (tokens < 0 || tokens > Long.MAX_VALUE / 4 / width) {
            throw new IllegalArgumentException("sequence_length " + Long.toUnsignedString(tokens)
                    + " is more than memory can hold at hidden_dim " + width);
        }
        long bytes = 4 * tokens * width;
        if (input != output && Math.abs(input - output) < bytes) {
            throw new IllegalArgumentException("input and output must be the same or lie apart, got " + bytes
                    + " bytes each, of which " + (bytes - Math.abs(input - output)) + " are of both");
        }
        memory.clear();
        for (long from = 0; from < tokens; from += BLOCK) {
            int n = (int) Math.min(BLOCK, tokens - from);
            ForeignMemory.read(input, from * width, x, n * width);
            block(n);
            ForeignMemory.write(output, from * width, y, n * width);
        }
    }

    private void block(int n) {
        inputs.round(x, 0, n);
        down.matMul(inputs, features);
        for (int t = 0; t < n; t++) {
            normalize(t * memoryWidth);
            int at = t * memoryWidth;
            memory.step(0, features, at, features, at, features, at, rate, 1, false, answers, at);
        }
        answersRounded.round(answers, 0, n);
        up.matMul(answersRounded, y);
        for (int i = 0; i < n * width; i++) {
            y[i] += x[i];
        }
    }

    private void normalize(int at) {
        float norm = (float) Math.sqrt(FloatOps.dot(features, at, features, at, memoryWidth));
        if (norm > 1e-6f) {
            for (int i = at; i < at + memoryWidth; i++) {
                features[i] /= norm;
            }
        }
    }
}
