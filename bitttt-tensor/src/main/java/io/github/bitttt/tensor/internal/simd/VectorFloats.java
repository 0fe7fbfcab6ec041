package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/** The float loops on the Vector API. Naive twin: the bodies of {@link FloatKernels}; equal to the bit: {@link ScalarFloats}. */
final class VectorFloats implements FloatKernels {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_512;
    static final int LANES = 16;
    private static final VectorShuffle<Float> ACROSS_8 = VectorShuffle.fromOp(FLOATS, lane -> lane ^ 8);
    private static final VectorShuffle<Float> ACROSS_4 = VectorShuffle.fromOp(FLOATS, lane -> lane ^ 4);
    private static final VectorShuffle<Float> ACROSS_2 = VectorShuffle.fromOp(FLOATS, lane -> lane ^ 2);
    private static final VectorShuffle<Float> ACROSS_1 = VectorShuffle.fromOp(FLOATS, lane -> lane ^ 1);

    /** The sum of all lanes in an order of its own: that of reduceLanes changes when the code is compiled. */
    private static float sum(FloatVector v) {
        FloatVector s = v.add(v.rearrange(ACROSS_8));
        s = s.add(s.rearrange(ACROSS_4));
        s = s.add(s.rearrange(ACROSS_2));
        return s.add(s.rearrange(ACROSS_1)).lane(0);
    }

    @Override
    public float dot(float[] a, int aOffset, float[] b, int bOffset, int n) {
        FloatVector s0 = FloatVector.zero(FLOATS);
        FloatVector s1 = s0;
        int i = 0;
        for (; i + 2 * LANES <= n; i += 2 * LANES) {
            s0 = FloatVector.fromArray(FLOATS, a, aOffset + i).fma(FloatVector.fromArray(FLOATS, b, bOffset + i), s0);
            s1 = FloatVector.fromArray(FLOATS, a, aOffset + i + LANES)
                    .fma(FloatVector.fromArray(FLOATS, b, bOffset + i + LANES), s1);
        }
        float sum = sum(s0.add(s1));
        for (; i < n; i++) {
            sum += a[aOffset + i] * b[bOffset + i];
        }
        return sum;
    }

    @Override
    public Int8Weights int8Weights(byte[] codes, int rows, int columns) {
        return new Int8Blocks(codes, rows, columns);
    }

    @Override
    public void siluMultiply(float[] gate, int gateOffset, float[] up, int upOffset, float[] y, int yOffset, int n) {
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector g = FloatVector.fromArray(FLOATS, gate, gateOffset + i);
            // exp(-g) = 2^(whole + fraction): the whole part goes into the exponent, a polynomial does the fraction.
            FloatVector t = g.mul(-1.44269504f).max(-126f).min(126f);
            FloatVector shifted = t.add(12582912f); // 1.5 * 2^23 rounds to whole numbers
            FloatVector f = t.sub(shifted.sub(12582912f));
            FloatVector p = f.mul(1.5403530e-4f).add(1.3333558e-3f);
            p = p.fma(f, FloatVector.broadcast(FLOATS, 9.6181291e-3f));
            p = p.fma(f, FloatVector.broadcast(FLOATS, 5.5504109e-2f));
            p = p.fma(f, FloatVector.broadcast(FLOATS, 0.24022651f));
            p = p.fma(f, FloatVector.broadcast(FLOATS, 0.69314718f));
            p = p.fma(f, FloatVector.broadcast(FLOATS, 1f));
            FloatVector e = p.reinterpretAsInts().add(shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23))
                    .reinterpretAsFloats();
            g.mul(FloatVector.fromArray(FLOATS, up, upOffset + i)).div(e.add(1f)).intoArray(y, yOffset + i);
        }
        FloatKernels.super.siluMultiply(gate, gateOffset + i, up, upOffset + i, y, yOffset + i, n - i);
    }

    @Override
    public void deltaStep(float[] w, int wOffset, int d, float[] keys, int keyOffset, float[] values, int valueOffset,
            float rate, boolean after, float[] answer, int answerOffset) {
        float keyValue = after ? dot(keys, keyOffset, values, valueOffset, d) : 0;
        int i = 0;
        for (; i + 2 * LANES <= d; i += 2 * LANES) {
            twoVectors(w, wOffset + i, d, keys, keyOffset, values, valueOffset, i, rate, keyValue, answer,
                    answerOffset + i);
        }
        for (; i < d; i++) {
            row(w, wOffset + i, d, keys, keyOffset, values, valueOffset, i, rate, keyValue, answer, answerOffset + i);
        }
    }

    /** 32 rows of W; what is read after the update is W v + rate e (k v). */
    private static void twoVectors(float[] w, int at, int d, float[] keys, int keyOffset, float[] values,
            int valueOffset,
            int i, float rate, float keyValue, float[] answer, int answerAt) {
        FloatVector p0 = FloatVector.zero(FLOATS);
        FloatVector p1 = p0;
        FloatVector a0 = p0;
        FloatVector a1 = p0;
        for (int j = 0; j < d; j++) {
            FloatVector key = FloatVector.broadcast(FLOATS, keys[keyOffset + j]);
            FloatVector value = FloatVector.broadcast(FLOATS, values[valueOffset + j]);
            FloatVector w0 = FloatVector.fromArray(FLOATS, w, at + j * d);
            FloatVector w1 = FloatVector.fromArray(FLOATS, w, at + j * d + LANES);
            p0 = w0.fma(key, p0);
            p1 = w1.fma(key, p1);
            a0 = w0.fma(value, a0);
            a1 = w1.fma(value, a1);
        }
        FloatVector e0 = FloatVector.fromArray(FLOATS, values, valueOffset + i).sub(p0).mul(rate);
        FloatVector e1 = FloatVector.fromArray(FLOATS, values, valueOffset + i + LANES).sub(p1).mul(rate);
        e0.mul(keyValue).add(a0).intoArray(answer, answerAt);
        e1.mul(keyValue).add(a1).intoArray(answer, answerAt + LANES);
        for (int j = 0; j < d; j++) {
            FloatVector key = FloatVector.broadcast(FLOATS, keys[keyOffset + j]);
            e0.fma(key, FloatVector.fromArray(FLOATS, w, at + j * d)).intoArray(w, at + j * d);
            e1.fma(key, FloatVector.fromArray(FLOATS, w, at + j * d + LANES)).intoArray(w, at + j * d + LANES);
        }
    }

    static void row(float[] w, int at, int d, float[] keys, int keyOffset, float[] values, int valueOffset,
            int i,
            float rate, float keyValue, float[] answer, int answerAt) {
        float predicted = 0;
        float before = 0;
        for (int j = 0; j < d; j++) {
            predicted += w[at + j * d] * keys[keyOffset + j];
            before += w[at + j * d] * values[valueOffset + j];
        }
        float error = rate * (values[valueOffset + i] - predicted);
        answer[answerAt] = before + error * keyValue;
        for (int j = 0; j < d; j++) {
            w[at + j * d] += error * keys[keyOffset + j];
        }
    }
}
