package io.github.bitttt.tests;

import io.github.bitttt.tensor.internal.FloatKernels;
import io.github.bitttt.tensor.internal.Kernels;
import io.github.bitttt.tensor.internal.NaiveKernels;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** The float loops of a token: a step of the memory [width, width], the head [8 width, width], norm and SwiGLU. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class FloatBenchmark {
    /** Which kernels. */
    @Param({"naive", "plain", "vector"})
    public String family;

    /** Elements. */
    @Param({"32", "64", "207", "256"})
    public int width;

    private FloatKernels floats;
    private FloatKernels.Int8Weights head;
    private float[] x;
    private float[] v;
    private float[] y;
    private float[] logits;
    private FloatKernels.DeltaWeights memory;

    /** Fills the inputs with random numbers and compares with the naive loops.
     *
     * @throws InterruptedException if the kernels' warm-up is interrupted */
    @Setup
    public void fill() throws InterruptedException {
        SplittableRandom random = new SplittableRandom(1);
        x = new float[width];
        v = new float[width];
        for (int i = 0; i < width; i++) {
            x[i] = (float) random.nextGaussian();
            v[i] = (float) random.nextGaussian();
        }
        byte[] codes = new byte[8 * width * width];
        random.nextBytes(codes);
        var kernels = Families.of(family);
        kernels.awaitReady();
        floats = kernels.floats();
        floats.normalize(x, 0, width);
        floats.normalize(v, 0, width);
        head = floats.int8Weights(Kernels.Codes.of(codes, width), 8 * width, width);
        y = new float[width];
        logits = new float[8 * width];
        memory = floats.deltaWeights(1, width, width);
        FloatKernels naive = NaiveKernels.INSTANCE.floats();
        float[] expected = new float[8 * width];
        naive.int8Weights(Kernels.Codes.of(codes, width), 8 * width, width).products(x, 0, expected, 0);
        head();
        compare(expected, logits);
        naive.deltaWeights(1, width, width).step(0, x, 0, v, 0, v, 0, 0.5f, 1, true, expected, 0);
        step();
        compare(expected, y);
    }

    private void compare(float[] expected, float[] got) {
        for (int i = 0; i < got.length; i++) {
            if (Math.abs(expected[i] - got[i]) > 1e-4 * (1 + Math.abs(expected[i]))) {
                throw new IllegalStateException(
                        family + " differs from naive at " + i + ": " + expected[i] + ", " + got[i]);
            }
        }
    }

    /** One step of the delta rule.
     *  @return answers */
    @Benchmark
    public float[] step() {
        memory.step(0, x, 0, v, 0, v, 0, 0.5f, 1, true, y, 0);
        return y;
    }

    /** Int8 rows times a float input.
     *  @return logits without their scales */
    @Benchmark
    public float[] head() {
        head.products(x, 0, logits, 0);
        return logits;
    }

    /** Root-mean-square norm.
     *  @return outputs */
    @Benchmark
    public float[] norm() {
        floats.rmsNorm(x, 0, v, 1e-5, y, 0, width);
        return y;
    }

    /** silu(x) v.
     *  @return outputs */
    @Benchmark
    public float[] siluMultiply() {
        floats.siluMultiply(x, 0, v, 0, y, 0, width);
        return y;
    }
}
