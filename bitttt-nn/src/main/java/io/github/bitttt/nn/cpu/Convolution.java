package io.github.bitttt.nn.cpu;

import io.github.bitttt.nn.Param;
import io.github.bitttt.tensor.FloatOps;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;

/** A causal convolution of each column by itself, and silu. Naive twin: {@code NaiveOps.convolve}. For one thread. */
final class Convolution {
    // By taps, so that neighbouring columns are lanes.
    private final Map<Param, float[]> kernels = new IdentityHashMap<>();
    private float[] ones = new float[0];

    void convolve(Param kernel, float[] values, Rows tail, Rows rows, Rows y) {
        int count = kernel.columns();
        int width = rows.columns();
        float[] taps = kernels.computeIfAbsent(kernel, _ -> turned(values, width, count));
        for (int t = 0; t < rows.rows(); t++) {
            Arrays.fill(y.values(), t * width, (t + 1) * width, 0);
            for (int tap = 0; tap < count; tap++) {
                int at = t + tap - (count - 1);
                if (at < 0) {
                    multiplyAdd(taps, tap * width, tail.values(), (at + count - 1) * width, y.values(), t * width,
                            width);
                } else {
                    multiplyAdd(taps, tap * width, rows.values(), at * width, y.values(), t * width, width);
                }
            }
        }
        int numbers = rows.rows() * width;
        if (ones.length < numbers) {
            ones = new float[numbers];
            Arrays.fill(ones, 1);
        }
        FloatOps.siluMultiply(y.values(), ones, y.values(), numbers);
    }

    private static void multiplyAdd(float[] a, int aAt, float[] b, int bAt, float[] y, int yAt, int n) {
        for (int i = 0; i < n; i++) {
            y[yAt + i] += a[aAt + i] * b[bAt + i];
        }
    }

    private static float[] turned(float[] kernel, int channels, int count) {
        float[] taps = new float[kernel.length];
        for (int i = 0; i < kernel.length; i++) {
            taps[i % count * channels + i / count] = kernel[i];
        }
        return taps;
    }

    /** Takes the last rows into the tail, in place. */
    static void moveTail(int count, Rows tail, Rows rows) {
        int width = rows.columns();
        int kept = Math.max(0, count - rows.rows()); // rows of the old tail that are among the last still
        System.arraycopy(tail.values(), (count - kept) * width, tail.values(), 0, kept * width);
        System.arraycopy(rows.values(), (rows.rows() - (count - kept)) * width, tail.values(), kept * width,
                (count - kept) * width);
    }
}
