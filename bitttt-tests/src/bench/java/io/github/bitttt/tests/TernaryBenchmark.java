package io.github.bitttt.tests;

import io.github.bitttt.tensor.internal.Int8Input;
import io.github.bitttt.tensor.internal.Kernels;
import io.github.bitttt.tensor.internal.NaiveKernels;
import java.util.Arrays;
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

/** A ternary product of one int8 row, its tables built before, or rounded and built each time. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class TernaryBenchmark {
    /** Which kernels. */
    @Param({"naive", "plain", "lut16", "lut256", "lut128"})
    public String family;

    /** Rows and columns: those of the models here, of larger ones, and one that fits nothing. */
    @Param({"64x256", "688x256", "1024x256", "256x1024", "207x207", "4096x4096"})
    public String shape;

    private Kernels kernels;
    private Kernels.Weights weights;
    private Int8Input input;
    private int columns;
    private float[] x;
    private float[] y;

    /** Fills a matrix and a row with random numbers and compares the product with the naive one.
     *
     * @throws InterruptedException if the kernels' warm-up is interrupted */
    @Setup
    public void fill() throws InterruptedException {
        int[] sizes = Arrays.stream(shape.split("x")).mapToInt(Integer::parseInt).toArray();
        int rows = sizes[0];
        columns = sizes[1];
        SplittableRandom random = new SplittableRandom(1);
        byte[] codes = new byte[rows * columns];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (random.nextInt(3) - 1);
        }
        x = new float[columns];
        for (int i = 0; i < columns; i++) {
            x[i] = (float) random.nextGaussian();
        }
        kernels = Families.of(family);
        kernels.awaitReady();
        weights = kernels.weights(Kernels.Codes.of(codes, columns), rows, columns);
        input = new Int8Input(columns);
        float[] expected = new float[rows];
        Kernels naive = NaiveKernels.INSTANCE;
        round(naive);
        naive.weights(Kernels.Codes.of(codes, columns), rows, columns).products(input, 0, 1, 0.5f, expected, 0, rows);
        y = new float[rows];
        round(kernels);
        weights.products(input, 0, 1, 0.5f, y, 0, rows);
        if (!Arrays.equals(expected, y)) {
            throw new IllegalStateException(family + " differs from naive at " + shape);
        }
    }

    private void round(Kernels by) {
        input.begin(1);
        input.scales()[0] = by.round(x, 0, columns, input.codes(), 0);
    }

    /** The product alone.
     *  @return outputs */
    @Benchmark
    public float[] product() {
        weights.products(input, 0, 1, 0.5f, y, 0, y.length);
        return y;
    }

    /** Rounding, tables and product.
     *  @return outputs */
    @Benchmark
    public float[] productWithRounding() {
        round(kernels);
        weights.products(input, 0, 1, 0.5f, y, 0, y.length);
        return y;
    }
}
