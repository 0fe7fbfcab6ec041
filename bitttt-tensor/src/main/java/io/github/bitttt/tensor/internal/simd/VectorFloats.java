package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import io.github.bitttt.tensor.internal.Kernels;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/** The float loops on the Vector API. Naive twin: the bodies of {@link FloatKernels}; equal to the bit: {@link ScalarFloats}. */
final class VectorFloats implements FloatKernels {
    static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    static final int LANES = FLOATS.length();
    private static final VectorShuffle<Float> ACROSS_8 = across(8);
    private static final VectorShuffle<Float> ACROSS_4 = across(4);
    private static final VectorShuffle<Float> ACROSS_2 = across(2);
    private static final VectorShuffle<Float> ACROSS_1 = across(1);

    private static VectorShuffle<Float> across(int distance) {
        return VectorShuffle.fromOp(FLOATS, lane -> (lane ^ distance) % LANES);
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
        // All lanes in an order of its own: that of reduceLanes changes when the code is compiled. Not a method: vectors that
        // are passed on may become objects.
        FloatVector s = s0.add(s1);
        if (LANES > 8) {
            s = s.add(s.rearrange(ACROSS_8));
        }
        if (LANES > 4) {
            s = s.add(s.rearrange(ACROSS_4));
        }
        s = s.add(s.rearrange(ACROSS_2));
        float sum = s.add(s.rearrange(ACROSS_1)).lane(0);
        for (; i < n; i++) {
            sum += a[aOffset + i] * b[bOffset + i];
        }
        return sum;
    }

    @Override
    public Int8Weights int8Weights(Kernels.Codes codes, int rows, int columns) {
        return new Int8Blocks(codes, rows, columns);
    }

    @Override
    public void rmsNorm(float[] x, int xOffset, float[] gain, double epsilon, float[] y, int yOffset, int n) {
        double mean = (double) dot(x, xOffset, x, xOffset, n) / n;
        float inverse = (float) (1 / Math.sqrt(mean + epsilon));
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector.fromArray(FLOATS, x, xOffset + i).mul(inverse).mul(FloatVector.fromArray(FLOATS, gain, i))
                    .intoArray(y, yOffset + i);
        }
        for (; i < n; i++) {
            y[yOffset + i] = gain[i] * (x[xOffset + i] * inverse);
        }
    }

    @Override
    public void siluMultiply(float[] gate, int gateOffset, float[] up, int upOffset, float[] y, int yOffset, int n) {
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector g = FloatVector.fromArray(FLOATS, gate, gateOffset + i);
            // exp(-g) = 2^(whole + fraction): the whole part goes into the exponent, a polynomial does the fraction.
            // By masks, because the maximum of floats minds signed zeros and takes five instructions.
            FloatVector t = g.mul(-1.44269504f);
            t = t.blend(-126f, t.compare(VectorOperators.LT, -126f));
            t = t.blend(126f, t.compare(VectorOperators.GT, 126f));
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
    public void addScaled(float factor, float[] x, int xOffset, float[] y, int yOffset, int n) {
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            FloatVector.fromArray(FLOATS, x, xOffset + i).fma(FloatVector.broadcast(FLOATS, factor),
                    FloatVector.fromArray(FLOATS, y, yOffset + i)).intoArray(y, yOffset + i);
        }
        for (; i < n; i++) {
            y[yOffset + i] = Math.fma(x[xOffset + i], factor, y[yOffset + i]);
        }
    }

    @Override
    public void exp(float[] x, float shift, float[] y, int n) {
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            // As in siluMultiply. Not a method: vectors that are passed on may become objects.
            FloatVector t = FloatVector.fromArray(FLOATS, x, i).sub(shift).mul(1.44269504f);
            t = t.blend(-126f, t.compare(VectorOperators.LT, -126f));
            t = t.blend(126f, t.compare(VectorOperators.GT, 126f));
            FloatVector shifted = t.add(12582912f);
            FloatVector f = t.sub(shifted.sub(12582912f));
            FloatVector p = f.mul(1.5403530e-4f).add(1.3333558e-3f);
            p = p.fma(f, FloatVector.broadcast(FLOATS, 9.6181291e-3f));
            p = p.fma(f, FloatVector.broadcast(FLOATS, 5.5504109e-2f));
            p = p.fma(f, FloatVector.broadcast(FLOATS, 0.24022651f));
            p = p.fma(f, FloatVector.broadcast(FLOATS, 0.69314718f));
            p = p.fma(f, FloatVector.broadcast(FLOATS, 1f));
            p.reinterpretAsInts().add(shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23))
                    .reinterpretAsFloats().intoArray(y, i);
        }
        for (; i < n; i++) {
            y[i] = (float) Math.exp(x[i] - shift);
        }
    }

    @Override
    public void besides(float[] x, int xOffset, float[] block, int offset, int n, float factor, float[] y) {
        for (int s = 0; s < SIDE_BY_SIDE; s += 4 * LANES) {
            FloatVector a0 = FloatVector.zero(FLOATS);
            FloatVector a1 = a0;
            FloatVector a2 = a0;
            FloatVector a3 = a0;
            FloatVector b0 = a0;
            FloatVector b1 = a0;
            FloatVector b2 = a0;
            FloatVector b3 = a0;
            int at = offset + s;
            int i = xOffset;
            for (; i + 2 <= xOffset + n; i += 2, at += 2 * SIDE_BY_SIDE) {
                FloatVector even = FloatVector.broadcast(FLOATS, x[i]);
                FloatVector odd = FloatVector.broadcast(FLOATS, x[i + 1]);
                a0 = FloatVector.fromArray(FLOATS, block, at).fma(even, a0);
                a1 = FloatVector.fromArray(FLOATS, block, at + LANES).fma(even, a1);
                a2 = FloatVector.fromArray(FLOATS, block, at + 2 * LANES).fma(even, a2);
                a3 = FloatVector.fromArray(FLOATS, block, at + 3 * LANES).fma(even, a3);
                b0 = FloatVector.fromArray(FLOATS, block, at + SIDE_BY_SIDE).fma(odd, b0);
                b1 = FloatVector.fromArray(FLOATS, block, at + SIDE_BY_SIDE + LANES).fma(odd, b1);
                b2 = FloatVector.fromArray(FLOATS, block, at + SIDE_BY_SIDE + 2 * LANES).fma(odd, b2);
                b3 = FloatVector.fromArray(FLOATS, block, at + SIDE_BY_SIDE + 3 * LANES).fma(odd, b3);
            }
            if (i < xOffset + n) {
                FloatVector even = FloatVector.broadcast(FLOATS, x[i]);
                a0 = FloatVector.fromArray(FLOATS, block, at).fma(even, a0);
                a1 = FloatVector.fromArray(FLOATS, block, at + LANES).fma(even, a1);
                a2 = FloatVector.fromArray(FLOATS, block, at + 2 * LANES).fma(even, a2);
                a3 = FloatVector.fromArray(FLOATS, block, at + 3 * LANES).fma(even, a3);
            }
            a0.add(b0).mul(factor).intoArray(y, s);
            a1.add(b1).mul(factor).intoArray(y, s + LANES);
            a2.add(b2).mul(factor).intoArray(y, s + 2 * LANES);
            a3.add(b3).mul(factor).intoArray(y, s + 3 * LANES);
        }
    }

    @Override
    public void weightedRows(float[] weights, int count, float[] rows, int offset, int stride, int n, float[] y,
            int yOffset) {
        int i = 0;
        for (; i + 4 * LANES <= n; i += 4 * LANES) {
            FloatVector a0 = FloatVector.zero(FLOATS);
            FloatVector a1 = a0;
            FloatVector a2 = a0;
            FloatVector a3 = a0;
            FloatVector b0 = a0;
            FloatVector b1 = a0;
            FloatVector b2 = a0;
            FloatVector b3 = a0;
            int at = offset + i;
            int s = 0;
            for (; s + 2 <= count; s += 2, at += 2 * stride) {
                FloatVector even = FloatVector.broadcast(FLOATS, weights[s]);
                FloatVector odd = FloatVector.broadcast(FLOATS, weights[s + 1]);
                a0 = FloatVector.fromArray(FLOATS, rows, at).fma(even, a0);
                a1 = FloatVector.fromArray(FLOATS, rows, at + LANES).fma(even, a1);
                a2 = FloatVector.fromArray(FLOATS, rows, at + 2 * LANES).fma(even, a2);
                a3 = FloatVector.fromArray(FLOATS, rows, at + 3 * LANES).fma(even, a3);
                b0 = FloatVector.fromArray(FLOATS, rows, at + stride).fma(odd, b0);
                b1 = FloatVector.fromArray(FLOATS, rows, at + stride + LANES).fma(odd, b1);
                b2 = FloatVector.fromArray(FLOATS, rows, at + stride + 2 * LANES).fma(odd, b2);
                b3 = FloatVector.fromArray(FLOATS, rows, at + stride + 3 * LANES).fma(odd, b3);
            }
            if (s < count) {
                FloatVector even = FloatVector.broadcast(FLOATS, weights[s]);
                a0 = FloatVector.fromArray(FLOATS, rows, at).fma(even, a0);
                a1 = FloatVector.fromArray(FLOATS, rows, at + LANES).fma(even, a1);
                a2 = FloatVector.fromArray(FLOATS, rows, at + 2 * LANES).fma(even, a2);
                a3 = FloatVector.fromArray(FLOATS, rows, at + 3 * LANES).fma(even, a3);
            }
            a0.add(b0).intoArray(y, yOffset + i);
            a1.add(b1).intoArray(y, yOffset + i + LANES);
            a2.add(b2).intoArray(y, yOffset + i + 2 * LANES);
            a3.add(b3).intoArray(y, yOffset + i + 3 * LANES);
        }
        for (; i < n; i++) {
            y[yOffset + i] = ScalarFloats.weightedColumn(weights, count, rows, offset + i, stride);
        }
    }

    @Override
    public void log(float[] x, float[] y, int n) {
        int i = 0;
        for (; i + LANES <= n; i += LANES) {
            // x = 2^e m, m from sqrt(1/2) to sqrt(2): log x = e log 2 + log m. With r = (m - 1) / (m + 1), log m = 2 artanh r.
            IntVector bits = FloatVector.fromArray(FLOATS, x, i).reinterpretAsInts();
            IntVector e = bits.sub(0x3f3504f3).lanewise(VectorOperators.ASHR, 23);
            FloatVector m = bits.sub(e.lanewise(VectorOperators.LSHL, 23)).reinterpretAsFloats();
            FloatVector r = m.sub(1f).div(m.add(1f));
            FloatVector r2 = r.mul(r);
            FloatVector p = r2.mul(0.22222222f).add(0.28571429f);
            p = p.fma(r2, FloatVector.broadcast(FLOATS, 0.4f));
            p = p.fma(r2, FloatVector.broadcast(FLOATS, 0.66666667f));
            p = p.mul(r2).mul(r).add(r.add(r));
            ((FloatVector) e.convert(VectorOperators.I2F, 0)).fma(FloatVector.broadcast(FLOATS, 0.69314718f), p)
                    .intoArray(y, i);
        }
        for (; i < n; i++) {
            y[i] = (float) Math.log(x[i]);
        }
    }

    @Override
    public DeltaWeights deltaWeights(int heads, int rows, int columns) {
        return new DeltaBlocks(this, heads, rows, columns);
    }
}
