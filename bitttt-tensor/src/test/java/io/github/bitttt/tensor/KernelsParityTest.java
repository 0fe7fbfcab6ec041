package io.github.bitttt.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.tensor.internal.FloatKernels;
import io.github.bitttt.tensor.internal.Kernels;
import io.github.bitttt.tensor.internal.NaiveKernels;
import io.github.bitttt.tensor.internal.PlainKernels;
import io.github.bitttt.tensor.internal.simd.WarmingKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every family against the naive one. */
@Execution(ExecutionMode.CONCURRENT)
class KernelsParityTest {
    // On vectors that are forced to be narrow everything takes longer; these sizes have their remainders and limits.
    private static final int[] FEW = {1, 3, 7, 8, 15, 16, 17, 31, 33, 65, 129, 207, 257, 4096};
    private static final int[] ALL = {1, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 100, 127, 128, 129, 207, 255,
            257,
            1000, 1021, 2048, 4095, 4096, 8191};
    private static final int[] SIZES = Boolean.getBoolean("bitttt.test.few") ? FEW : ALL;
    private static final float GUARD = 12345;
    private static final int TOKENS = 5; // four at once and one more

    /** The families of this machine; on one that has vectors no vector test is left out. */
    static List<Kernels> families() {
        List<Kernels> families = new ArrayList<>(List.of(PlainKernels.INSTANCE));
        Kernels best = KernelChoice.choose(null).kernels();
        if (best instanceof WarmingKernels warming) {
            families.add(warming);
            families.add(warming.cold());
            families.addAll(WarmingKernels.families());
        }
        return families;
    }

    static String label(Kernels family) {
        return family.name() + " " + family.weights(Kernels.Codes.of(new byte[1], 1), 1, 1).kernel();
    }

    static List<Arguments> familiesAndSizes() {
        List<Arguments> cases = new ArrayList<>();
        for (Kernels family : families()) {
            for (int size : SIZES) {
                cases.add(Arguments.of(label(family), size, family));
            }
        }
        return cases;
    }

    @ParameterizedTest(name = "{0}, {1} columns")
    @MethodSource("familiesAndSizes")
    void integerSumsAreEqual(String name, int columns, Kernels family) {
        Random random = new Random(columns);
        for (int rows : new int[]{1, 3, 63, 64, 65, 150, 207}) {
            for (int code = -2; code <= 1; code++) {
                for (int input = -2; input <= 1; input++) {
                    compare(family, codes(rows * columns, code, random), inputs(TOKENS * columns, input, random), rows,
                            columns);
                }
            }
        }
    }

    /** All of one code, or random ones for -2. */
    private static byte[] codes(int n, int all, Random random) {
        byte[] codes = new byte[n];
        for (int i = 0; i < n; i++) {
            codes[i] = (byte) (all == -2 ? random.nextInt(3) - 1 : all);
        }
        return codes;
    }

    /** All at one extreme or zero, or random ones for -2. */
    private static float[] inputs(int n, int all, Random random) {
        float[] inputs = new float[n];
        for (int i = 0; i < n; i++) {
            inputs[i] = all == -2 ? (float) random.nextGaussian() : all;
        }
        return inputs;
    }

    private static void compare(Kernels family, byte[] codes, float[] inputs, int rows, int columns) {
        TernaryMatrix matrix = TernaryMatrix.ofCodes(codes, rows, columns, 0.5f);
        float[] expected = multiply(matrix, NaiveKernels.INSTANCE, inputs, rows, columns);
        assertThat(multiply(matrix, family, inputs, rows, columns)).containsExactly(expected);
    }

    private static float[] multiply(TernaryMatrix matrix, Kernels family, float[] inputs, int rows, int columns) {
        RoundedRows rounded = new RoundedRows(columns, family);
        rounded.round(inputs, 0, TOKENS);
        float[] y = new float[TOKENS * rows + 2];
        Arrays.fill(y, Float.NaN);
        y[0] = GUARD;
        y[y.length - 1] = GUARD;
        TernaryMatrix prepared = matrix.with(family);
        assertThat(prepared.codes()).isEqualTo(matrix.codes());
        float[] together = new float[TOKENS * rows];
        prepared.matMul(rounded, together, 0);
        for (int token = 0; token < TOKENS; token++) {
            prepared.matVec(rounded, token, y, 1 + token * rows);
        }
        assertThat(Arrays.copyOfRange(y, 1, y.length - 1)).containsExactly(together);
        assertThat(y[0]).isEqualTo(GUARD);
        assertThat(y[y.length - 1]).isEqualTo(GUARD);
        return y;
    }

    @ParameterizedTest(name = "{0}, {1} numbers")
    @MethodSource("familiesAndSizes")
    void floatSumsAreWithinTheirBound(String name, int n, Kernels family) {
        Random random = new Random(n);
        FloatKernels naive = NaiveKernels.INSTANCE.floats();
        FloatKernels fast = family.floats();
        float[] a = inputs(n + 3, -2, random);
        float[] b = inputs(n + 3, -2, random);
        double floats = 0;
        for (int i = 0; i < n; i++) {
            floats += Math.abs((double) a[1 + i] * b[2 + i]);
        }
        double rounding = n * Math.pow(2, -23);
        assertThat(fast.dot(a, 1, b, 2, n)).isCloseTo(naive.dot(a, 1, b, 2, n), offset((float) (rounding * floats)));
        float[] expected = new float[n];
        float[] got = new float[n];
        naive.siluMultiply(a, 0, b, 0, expected, 0, n);
        fast.siluMultiply(a, 0, b, 0, got, 0, n);
        for (int i = 0; i < n; i++) {
            // The polynomial of the exponential is good to two units in the last place of its result.
            assertThat(got[i]).isCloseTo(expected[i], offset(4e-7f * Math.abs(expected[i]) + 1e-30f));
        }
    }

    @ParameterizedTest(name = "{0}, {1} numbers")
    @MethodSource("familiesAndSizes")
    void exponentialsAndLogarithms(String name, int n, Kernels family) {
        Random random = new Random(n);
        FloatKernels fast = family.floats();
        float[] x = inputs(n, -2, random);
        float[] y = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = Math.min(60 * x[i], 80);
        }
        x[0] = -200;
        fast.exp(x, 3, y, n);
        for (int i = 0; i < n; i++) {
            double exact = Math.exp((double) x[i] - 3);
            // A difference is rounded to a float first: half a unit of it is a relative error of the exponential.
            assertThat((double) y[i]).as("exp(%s - 3)", x[i]).isCloseTo(exact,
                    within(exact * (3e-7 + Math.abs(x[i] - 3) * 0x1p-23) + 1.7e-38));
        }
        for (int i = 0; i < n; i++) {
            x[i] = (float) Math.exp(random.nextGaussian() * (i % 2 == 0 ? 20 : 0.1));
        }
        x[0] = Float.MIN_NORMAL;
        x[n - 1] = 1;
        fast.log(x, y, n);
        for (int i = 0; i < n; i++) {
            double exact = Math.log(x[i]);
            assertThat((double) y[i]).as("log(%s)", x[i]).isCloseTo(exact, within(2e-7 * Math.max(1, Math.abs(exact))));
        }
        float[] a = inputs(n + 3, -2, random);
        float[] b = inputs(n + 3, -2, random);
        float[] sum = b.clone();
        fast.addScaled(0.3f, a, 1, sum, 2, n);
        for (int i = 0; i < sum.length; i++) {
            double exact = i < 2 || i >= n + 2 ? b[i] : b[i] + (double) 0.3f * a[i - 1];
            assertThat((double) sum[i]).isCloseTo(exact, within(0x1p-23 * (Math.abs(exact) + Math.abs(b[i]))));
        }
    }

    @ParameterizedTest(name = "{0}, {1} columns")
    @MethodSource("familiesAndSizes")
    void int8ProductsAreWithinTheirBound(String name, int columns, Kernels family) {
        Random random = new Random(columns);
        for (int rows : new int[]{1, 63, 127, 128, 130}) {
            byte[] bytes = new byte[rows * columns];
            random.nextBytes(bytes);
            Kernels.Codes codes = Kernels.Codes.of(bytes, columns);
            float[] x = inputs(columns + 1, -2, random);
            float[] expected = new float[rows];
            float[] got = new float[rows + 2];
            Arrays.fill(got, Float.NaN);
            NaiveKernels.INSTANCE.floats().int8Weights(codes, rows, columns).products(x, 1, expected, 0);
            FloatKernels.Int8Weights weights = family.floats().int8Weights(codes, rows, columns);
            weights.products(x, 1, got, 1);
            float[] both = new float[2 * columns + 1];
            System.arraycopy(x, 1, both, 1 + columns, columns);
            System.arraycopy(inputs(columns, -2, random), 0, both, 1, columns);
            float[] one = new float[rows];
            float[] two = new float[2 * rows + 1];
            weights.products(both, 1, one, 0);
            weights.productsOfTwo(both, 1, 1 + columns, two, 1, 1 + rows);
            assertThat(Arrays.copyOfRange(two, 1, 1 + rows)).containsExactly(one);
            assertThat(Arrays.copyOfRange(two, 1 + rows, 1 + 2 * rows))
                    .containsExactly(Arrays.copyOfRange(got, 1, 1 + rows));
            assertThat(weights.all(rows, columns)).isEqualTo(bytes);
            float[] last = new float[columns + 2];
            last[0] = GUARD;
            last[columns + 1] = GUARD;
            weights.row(rows - 1, 0.5f, last, 1);
            for (int i = 0; i < columns; i++) {
                assertThat(last[1 + i]).isEqualTo(bytes[(rows - 1) * columns + i] * 0.5f);
            }
            assertThat(last[0]).isEqualTo(GUARD);
            assertThat(last[columns + 1]).isEqualTo(GUARD);
            assertThat(got[0]).isNaN();
            assertThat(got[rows + 1]).isNaN();
            for (int row = 0; row < rows; row++) {
                double magnitude = 0;
                for (int i = 0; i < columns; i++) {
                    magnitude += Math.abs((double) bytes[row * columns + i] * x[1 + i]);
                }
                assertThat(got[1 + row]).isCloseTo(expected[row], offset((float) (columns * 0x1p-23 * magnitude)));
            }
        }
    }

    /** The codes are the same to the last: ties, extremes, zeros, denormals. */
    @ParameterizedTest(name = "{0}, {1} columns")
    @MethodSource("familiesAndSizes")
    void roundingIsEqual(String name, int columns, Kernels family) {
        Random random = new Random(columns);
        for (float size : new float[]{0, Float.MIN_VALUE, 1e-6f, 1, 127, 1e30f}) {
            float[] x = new float[columns + 2];
            for (int i = 0; i < x.length; i++) {
                // Halves of the largest: ties wherever the scale is a power of two.
                x[i] = size * (random.nextBoolean() ? (float) random.nextGaussian() : (random.nextInt(509) - 254) / 2f);
            }
            byte[] expected = new byte[columns + 2];
            byte[] got = new byte[columns + 2];
            assertThat(family.round(x, 1, columns, got, 1))
                    .isEqualTo(NaiveKernels.INSTANCE.round(x, 1, columns, expected, 1));
            assertThat(got).isEqualTo(expected);
            assertThat(family.roundAway(x, 1, columns, got, 1))
                    .isEqualTo(NaiveKernels.INSTANCE.roundAway(x, 1, columns, expected, 1));
            assertThat(got).isEqualTo(expected);
        }
    }

    @ParameterizedTest(name = "{0}, {1} numbers")
    @MethodSource("familiesAndSizes")
    void sumsOfAttentionAreWithinTheirBound(String name, int size, Kernels family) {
        int n = Math.min(size, 300);
        Random random = new Random(n);
        float[] x = inputs(n + 1, -2, random);
        float[] block = inputs(n * 64 + 3, -2, random);
        float[] got = new float[64];
        float[] expected = new float[64];
        family.floats().besides(x, 1, block, 3, n, 0.25f, got);
        NaiveKernels.INSTANCE.floats().besides(x, 1, block, 3, n, 0.25f, expected);
        for (int s = 0; s < 64; s++) {
            double bound = 0;
            for (int i = 0; i < n; i++) {
                bound += Math.abs(0.25 * x[1 + i] * block[3 + i * 64 + s]);
            }
            assertThat((double) got[s]).isCloseTo(expected[s], offset(n * 0x1p-23 * bound + 1e-30));
        }
        for (int count : new int[]{1, 2, 31, 64}) {
            float[] rows = inputs(count * (n + 5) + 2, -2, random);
            float[] weights = inputs(count, -2, random);
            float[] sums = new float[n + 2];
            Arrays.fill(sums, GUARD);
            float[] naive = sums.clone();
            family.floats().weightedRows(weights, count, rows, 2, n + 5, n, sums, 1);
            NaiveKernels.INSTANCE.floats().weightedRows(weights, count, rows, 2, n + 5, n, naive, 1);
            assertThat(sums[0]).isEqualTo(GUARD);
            assertThat(sums[n + 1]).isEqualTo(GUARD);
            for (int i = 0; i < n; i++) {
                double magnitude = 0;
                for (int s = 0; s < count; s++) {
                    magnitude += Math.abs((double) weights[s] * rows[2 + s * (n + 5) + i]);
                }
                assertThat((double) sums[1 + i]).isCloseTo(naive[1 + i],
                        offset((count + 1) * 0x1p-23 * magnitude + 1e-30));
            }
        }
    }

    /** Half goes away from zero, the float before a half does not; a row of nearly nothing has the scale 1. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("families")
    void halvesGoAwayFromZero(Kernels family) {
        float before = Math.nextDown(0.5f);
        float[] x = new float[33];
        byte[] expected = new byte[33];
        float[] halves = {127, 0.5f, -0.5f, before, -before, 1.5f, 2.5f, -2.5f, Math.nextDown(2.5f), 126.5f, -126.5f};
        byte[] codes = {127, 1, -1, 0, 0, 2, 3, -3, 2, 127, -127};
        for (int i = 0; i < x.length; i++) {
            x[i] = halves[i % halves.length];
            expected[i] = codes[i % halves.length];
        }
        byte[] got = new byte[33];
        assertThat(family.roundAway(x, 0, 33, got, 0)).isEqualTo(1);
        assertThat(got).isEqualTo(expected);
        assertThat(family.roundAway(new float[]{1e-10f, -9e-10f, 0}, 0, 3, got, 0)).isEqualTo(1);
    }

    /** Before and after the vector kernels are compiled, results are the same to the bit. */
    @ParameterizedTest
    @MethodSource("sizes")
    void vectorsAndTheirScalarTwinAreEqualToTheBit(int n) {
        Assumptions.assumeTrue(KernelChoice.choose(null).kernels() instanceof WarmingKernels, "no vectors here");
        WarmingKernels family = (WarmingKernels) KernelChoice.choose(null).kernels();
        Random random = new Random(n);
        float[] a = inputs(n + 3, -2, random);
        float[] b = inputs(n + 3, -2, random);
        float[] wide = inputs(n + 3, -2, random);
        for (int i = 0; i < wide.length; i++) {
            wide[i] *= 60;
        }
        List<List<float[]>> results = new ArrayList<>();
        for (Kernels kernels : List.of(WarmingKernels.families().getFirst(), family.cold())) {
            FloatKernels floats = kernels.floats();
            float[] norm = new float[n];
            floats.rmsNorm(a, 1, b, 1e-5, norm, 0, n);
            float[] silu = new float[n];
            floats.siluMultiply(wide, 1, b, 2, silu, 0, n);
            float[] exponentials = new float[n];
            floats.exp(wide, 2, exponentials, n);
            float[] logarithms = new float[n];
            floats.log(exponentials, logarithms, n);
            float[] scaled = b.clone();
            floats.addScaled(0.7f, a, 1, scaled, 2, n);
            byte[] codes = new byte[130 * n];
            new Random(n).nextBytes(codes);
            float[] head = new float[130];
            floats.int8Weights(Kernels.Codes.of(codes, n), 130, n).products(a, 1, head, 0);
            int d = Math.min(n, 129);
            int columns = Math.max(1, d - 1);
            FloatKernels.DeltaWeights memory = floats.deltaWeights(2, d, columns);
            memory.set(inputs(2 * d * columns, -2, new Random(d)));
            float[] unchanged = new float[2 * d * columns];
            memory.copyTo(unchanged);
            float[] answers = new float[2 * d];
            memory.step(1, norm, 0, silu, 0, silu, 0, 0.3f, 1, true, answers, 0);
            memory.step(0, b, 1, a, 1, norm, 0, 0.2f, 0.5f, true, answers, d);
            memory.step(1, a, 1, b, 1, b, 1, 0.1f, 0.7f, false, answers, 0);
            float[] learned = new float[2 * d * columns];
            memory.copyTo(learned);
            float[] beside = new float[64];
            float[] block = inputs(3 + 64 * Math.min(n, 257), -2, new Random(n));
            floats.besides(a, 1, block, 3, Math.min(n, 257), 0.3f, beside);
            float[] mean = new float[Math.min(n, 200)];
            for (int count = 1; count <= 3; count++) {
                floats.weightedRows(b, Math.min(count, n), block, 1, 20, Math.min(n, 20), mean, 0);
            }
            results.add(List.of(beside, mean, norm, silu, exponentials, logarithms, scaled, head, unchanged, learned,
                    answers,
                    new float[]{floats.dot(a, 1, b, 2, n)}));
        }
        for (int i = 0; i < results.getFirst().size(); i++) {
            assertThat(results.get(1).get(i)).containsExactly(results.get(0).get(i));
        }
    }

    static IntStream sizes() {
        return Arrays.stream(SIZES);
    }

    static List<Arguments> familiesAndWidths() {
        List<Arguments> cases = new ArrayList<>();
        for (Kernels family : families()) {
            for (int width : new int[]{1, 3, 7, 16, 31, 32, 33, 64, 100}) {
                cases.add(Arguments.of(label(family), width, family));
            }
        }
        return cases;
    }

    @ParameterizedTest(name = "{0}, width {1}")
    @MethodSource("familiesAndWidths")
    void deltaStepsAgree(String name, int d, Kernels family) {
        Random random = new Random(d);
        for (boolean after : new boolean[]{false, true}) {
            float decay = after ? 0.9f : 1;
            int columns = after ? d : d / 2 + 3; // narrower and wider than its rows
            List<FloatKernels.DeltaWeights> twins = Stream.of(NaiveKernels.INSTANCE, family)
                    .map(kernels -> kernels.floats().deltaWeights(3, d, columns)).toList();
            List<float[]> learned = List.of(inputs(3 * d * columns, -2, random), new float[3 * d * columns]);
            twins.forEach(memory -> memory.set(learned.getFirst()));
            for (int step = 0; step < 20; step++) {
                float[] keys = inputs(columns + 2, -2, random);
                float[] queries = inputs(columns + 2, -2, random);
                float[] values = inputs(d + 2, -2, random);
                NaiveKernels.INSTANCE.floats().normalize(keys, 1, columns);
                NaiveKernels.INSTANCE.floats().normalize(queries, 2, columns);
                NaiveKernels.INSTANCE.floats().normalize(values, 1, d);
                float[] expectedAnswer = new float[d + 2];
                float[] answer = new float[d + 2];
                Arrays.fill(answer, Float.NaN);
                twins.get(0).step(step % 3, keys, 1, queries, 2, values, 1, 0.4f, decay, after, expectedAnswer, 1);
                twins.get(1).step(step % 3, keys, 1, queries, 2, values, 1, 0.4f, decay, after, answer, 1);
                assertThat(answer[0]).isNaN();
                assertThat(answer[d + 1]).isNaN();
                for (int i = 1; i <= d; i++) {
                    assertThat(answer[i]).isCloseTo(expectedAnswer[i], offset(1e-5f * d));
                }
            }
            twins.get(0).copyTo(learned.get(0));
            twins.get(1).copyTo(learned.get(1));
            assertThat(learned.get(1)).usingElementComparator((x, y) -> Math.abs(x - y) < 1e-5f * d ? 0 : 1)
                    .containsExactly(learned.get(0));
        }
    }

    /** A memory that is saved, set and saved again is the same to the bit, minus zeros too; and reading it changes nothing. */
    @ParameterizedTest(name = "{0}, width {1}")
    @MethodSource("familiesAndWidths")
    void memoriesAreSetAndCopiedToTheBit(String name, int d, Kernels family) {
        float[] w = inputs(2 * d * d, -2, new Random(d));
        w[0] = -0f;
        FloatKernels.DeltaWeights memory = family.floats().deltaWeights(2, d, d);
        float[] one = new float[d];
        Arrays.fill(one, 1);
        memory.step(1, one, 0, one, 0, one, 0, 0.5f, 0.5f, true, new float[d], 0);
        memory.set(w);
        float[] got = new float[w.length];
        memory.copyTo(got);
        assertThat(got).containsExactly(w);
        // One that goes on and one that starts from its copy.
        memory.step(0, w, 0, one, 0, one, 0, 0.5f, 0.5f, true, new float[d], 0);
        memory.copyTo(got);
        FloatKernels.DeltaWeights copy = family.floats().deltaWeights(2, d, d);
        copy.set(got);
        List<float[]> answers = new ArrayList<>();
        for (FloatKernels.DeltaWeights reader : List.of(memory, copy)) {
            float[] answer = new float[d];
            reader.step(0, one, 0, w, 0, w, 0, 0.25f, 0.75f, true, answer, 0);
            float[] after = new float[w.length];
            reader.copyTo(after);
            answers.add(answer);
            answers.add(after);
        }
        assertThat(answers.get(2)).containsExactly(answers.get(0));
        assertThat(answers.get(3)).containsExactly(answers.get(1));
        memory.clear();
        memory.copyTo(got);
        assertThat(got).containsOnly(0f);
    }
}
