package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import io.github.bitttt.tensor.internal.HeapDelta;
import io.github.bitttt.tensor.internal.Kernels;
import java.util.Arrays;

/** The loops of {@link VectorFloats}, {@link Int8Blocks} and {@link DeltaBlocks}, operation by operation in the same order, without vectors. */
class ScalarFloats implements FloatKernels {
    private static final int LANES = VectorFloats.LANES;

    @Override
    public float dot(float[] a, int aOffset, float[] b, int bOffset, int n) {
        float[] s = new float[2 * LANES];
        int i = 0;
        for (; i + 2 * LANES <= n; i += 2 * LANES) {
            for (int lane = 0; lane < 2 * LANES; lane++) {
                s[lane] = Math.fma(a[aOffset + i + lane], b[bOffset + i + lane], s[lane]);
            }
        }
        for (int half = LANES; half > 0; half /= 2) {
            for (int lane = 0; lane < half; lane++) {
                s[lane] += s[lane + half];
            }
        }
        float sum = s[0];
        for (; i < n; i++) {
            sum += a[aOffset + i] * b[bOffset + i];
        }
        return sum;
    }

    @Override
    public Int8Weights int8Weights(Kernels.Codes codes, int rows, int columns) {
        return new ScalarInt8(codes.all(rows, columns), rows, columns);
    }

    /** As {@link Int8Blocks}. */
    private static final class ScalarInt8 extends Int8InOrder {
        ScalarInt8(byte[] codes, int rows, int columns) {
            super(codes, rows, columns);
        }

        @Override
        public void products(float[] x, int xOffset, float[] y, int yOffset) {
            int row = 0;
            for (; row + 4 <= rows; row += 4) {
                fourRows(codes, row * columns, columns, x, xOffset, y, yOffset + row);
            }
            for (; row < rows; row++) {
                float sum = 0;
                for (int i = 0; i < columns; i++) {
                    sum = Math.fma(codes[row * columns + i], x[xOffset + i], sum);
                }
                y[yOffset + row] = sum;
            }
        }
    }

    private static void fourRows(byte[] codes, int at, int columns, float[] x, int xOffset, float[] y, int yAt) {
        float s0 = 0;
        float s1 = 0;
        float s2 = 0;
        float s3 = 0;
        for (int i = 0; i < columns; i++) {
            float input = x[xOffset + i];
            s0 = Math.fma(codes[at + i], input, s0);
            s1 = Math.fma(codes[at + columns + i], input, s1);
            s2 = Math.fma(codes[at + 2 * columns + i], input, s2);
            s3 = Math.fma(codes[at + 3 * columns + i], input, s3);
        }
        y[yAt] = s0;
        y[yAt + 1] = s1;
        y[yAt + 2] = s2;
        y[yAt + 3] = s3;
    }

    @Override
    public void siluMultiply(float[] gate, int gateOffset, float[] up, int upOffset, float[] y, int yOffset, int n) {
        int whole = n / LANES * LANES;
        for (int i = 0; i < whole; i++) {
            float g = gate[gateOffset + i];
            float e = exp(g, -1.44269504f);
            y[yOffset + i] = g * up[upOffset + i] / (e + 1f);
        }
        FloatKernels.super.siluMultiply(gate, gateOffset + whole, up, upOffset + whole, y, yOffset + whole, n - whole);
    }

    /** exp(x scale log 2), by the polynomial of the vectors. */
    private static float exp(float x, float scale) {
        float t = Math.min(Math.max(x * scale, -126f), 126f);
        float shifted = t + 12582912f;
        float f = t - (shifted - 12582912f);
        float p = f * 1.5403530e-4f + 1.3333558e-3f;
        p = Math.fma(p, f, 9.6181291e-3f);
        p = Math.fma(p, f, 5.5504109e-2f);
        p = Math.fma(p, f, 0.24022651f);
        p = Math.fma(p, f, 0.69314718f);
        p = Math.fma(p, f, 1f);
        return Float.intBitsToFloat(Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(shifted) << 23));
    }

    @Override
    public void addScaled(float factor, float[] x, int xOffset, float[] y, int yOffset, int n) {
        for (int i = 0; i < n; i++) {
            y[yOffset + i] = Math.fma(x[xOffset + i], factor, y[yOffset + i]);
        }
    }

    @Override
    public void besides(float[] x, int xOffset, float[] block, int offset, int n, float factor, float[] y) {
        float[] odd = new float[SIDE_BY_SIDE];
        Arrays.fill(y, 0, SIDE_BY_SIDE, 0);
        for (int i = 0; i < n; i++) {
            float[] sums = i % 2 == 0 ? y : odd;
            for (int s = 0; s < SIDE_BY_SIDE; s++) {
                sums[s] = Math.fma(block[offset + i * SIDE_BY_SIDE + s], x[xOffset + i], sums[s]);
            }
        }
        for (int s = 0; s < SIDE_BY_SIDE; s++) {
            y[s] = (y[s] + odd[s]) * factor;
        }
    }

    @Override
    public void weightedRows(float[] weights, int count, float[] rows, int offset, int stride, int n, float[] y,
            int yOffset) {
        for (int i = 0; i < n; i++) {
            y[yOffset + i] = weightedColumn(weights, count, rows, offset + i, stride);
        }
    }

    static float weightedColumn(float[] weights, int count, float[] rows, int at, int stride) {
        float even = 0;
        float odd = 0;
        int s = 0;
        for (; s + 2 <= count; s += 2) {
            even = Math.fma(rows[at + s * stride], weights[s], even);
            odd = Math.fma(rows[at + (s + 1) * stride], weights[s + 1], odd);
        }
        return s < count ? Math.fma(rows[at + s * stride], weights[s], even) + odd : even + odd;
    }

    @Override
    public void exp(float[] x, float shift, float[] y, int n) {
        int whole = n / LANES * LANES;
        for (int i = 0; i < whole; i++) {
            y[i] = exp(x[i] - shift, 1.44269504f);
        }
        for (int i = whole; i < n; i++) {
            y[i] = (float) Math.exp(x[i] - shift);
        }
    }

    @Override
    public void log(float[] x, float[] y, int n) {
        int whole = n / LANES * LANES;
        for (int i = 0; i < whole; i++) {
            int bits = Float.floatToRawIntBits(x[i]);
            int e = bits - 0x3f3504f3 >> 23;
            float m = Float.intBitsToFloat(bits - (e << 23));
            float r = (m - 1f) / (m + 1f);
            float r2 = r * r;
            float p = r2 * 0.22222222f + 0.28571429f;
            p = Math.fma(p, r2, 0.4f);
            p = Math.fma(p, r2, 0.66666667f);
            p = p * r2 * r + (r + r);
            y[i] = Math.fma(e, 0.69314718f, p);
        }
        for (int i = whole; i < n; i++) {
            y[i] = (float) Math.log(x[i]);
        }
    }

    @Override
    public DeltaWeights deltaWeights(int heads, int rows, int columns) {
        return new ScalarDelta(heads, rows, columns);
    }

    /** As {@link DeltaBlocks}; the update is made at once. */
    private final class ScalarDelta extends HeapDelta {
        private final float[] errors;

        ScalarDelta(int heads, int rows, int columns) {
            super(heads, rows, columns);
            errors = new float[rows];
        }

        @Override
        public void step(int head, float[] keys, int keyOffset, float[] queries, int queryOffset, float[] values,
                int valueOffset, float rate, float decay, boolean after, float[] answer, int answerOffset) {
            int first = head * columns * rows;
            float keyQuery = after ? dot(keys, keyOffset, queries, queryOffset, columns) : 0;
            Arrays.fill(errors, 0);
            Arrays.fill(answer, answerOffset, answerOffset + rows, 0);
            for (int j = 0; j < columns; j++) {
                for (int i = 0; i < rows; i++) {
                    float element = w[first + j * rows + i];
                    errors[i] = Math.fma(element, keys[keyOffset + j], errors[i]);
                    answer[answerOffset + i] = Math.fma(element, queries[queryOffset + j], answer[answerOffset + i]);
                }
            }
            for (int i = 0; i < rows; i++) {
                errors[i] = (values[valueOffset + i] - errors[i] * decay) * rate;
                answer[answerOffset + i] = errors[i] * keyQuery + answer[answerOffset + i] * decay;
            }
            for (int j = 0; j < columns; j++) {
                for (int i = 0; i < rows; i++) {
                    int at = first + j * rows + i;
                    w[at] = Math.fma(errors[i], keys[keyOffset + j], w[at] * decay);
                }
            }
        }
    }
}
