package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.Objective;
import io.github.bitttt.nn.Ops;
import io.github.bitttt.nn.Read;
import io.github.bitttt.nn.TttState;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.nn.cpu.CpuOps;
import io.github.bitttt.nn.cpu.Rows;
import io.github.bitttt.nn.naive.Doubles;
import io.github.bitttt.nn.naive.NaiveOps;
import io.github.bitttt.tests.Instruction.Sizes;
import io.github.bitttt.train.TrainingGraph;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Naive = CPU = graph: each instruction, the layers and a model of two blocks, on sizes that are multiples of nothing. */
class ThreeWaysParityTest {
    /** D, F, M, H, then T: one chunk, several, and a rest. */
    private static final List<int[]> SHAPES = List.of(new int[]{7, 5, 3, 1, 1}, new int[]{7, 5, 3, 3, 66},
            new int[]{33, 47, 9, 3, 64}, new int[]{207, 65, 21, 1, 130}, new int[]{64, 31, 64, 4, 17});

    static Stream<Arguments> instructions() {
        return SHAPES.stream().flatMap(shape -> Arrays.stream(Instruction.values()).map(instruction -> Arguments
                .of(instruction, new Sizes(shape[0], shape[1], shape[2], shape[3]), shape[4])));
    }

    @ParameterizedTest(name = "{0} {1} T {2}, seed 5")
    @MethodSource("instructions")
    void instruction(Instruction instruction, Sizes sizes, int tokens) {
        Weights weights = Weights.init(sizes.params(), 5).freeze(true);
        SplittableRandom random = new SplittableRandom(5);
        float[] x = normal(random, tokens * sizes.width(), 1);
        int d = sizes.memoryWidth() / sizes.heads();
        TttState<float[]> memory = new TttState<>(normal(random, sizes.memoryWidth() * d, 0.3),
                normal(random, sizes.width(), 1), normal(random, sizes.memoryWidth(), 0.4));

        List<double[]> naive = naive(instruction, sizes, weights, x, memory);
        assertClose("cpu", naive, cpu(instruction, sizes, weights, x, memory), 2e-5);
        assertClose("graph", naive, Graphs.run(instruction, sizes, weights, tokens, x, memory),
                // A rounding tie that flips moves a sum by one step.
                instruction == Instruction.TTT_DEFAULT ? 3e-2 : 2e-5);
    }

    private static void assertClose(String reading, List<double[]> expected, List<double[]> got, double tolerance) {
        assertThat(got).as(reading).hasSameSizeAs(expected);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(GoldenFixture.relativeError(expected.get(i), got.get(i))).as("%s, result %d", reading, i)
                    .isLessThan(tolerance);
        }
    }

    private static float[] normal(SplittableRandom random, int size, double deviation) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        return values;
    }

    private static List<double[]> naive(Instruction instruction, Sizes sizes, Weights weights, float[] x,
            TttState<float[]> memory) {
        int d = sizes.memoryWidth() / sizes.heads();
        TttState<Doubles> known = new TttState<>(doubles(memory.weights(), d),
                doubles(memory.previous(), sizes.width()),
                doubles(memory.feature(), sizes.memoryWidth()));
        return instruction.apply(new NaiveOps(weights), sizes, doubles(x, sizes.width()), known).stream()
                .map(y -> GoldenFixture.flat(y.rows())).toList();
    }

    private static Doubles doubles(float[] values, int columns) {
        double[][] rows = new double[values.length / columns][];
        for (int t = 0; t < rows.length; t++) {
            rows[t] = GoldenFixture.doubles(Arrays.copyOfRange(values, t * columns, (t + 1) * columns));
        }
        return new Doubles(rows);
    }

    private static List<double[]> cpu(Instruction instruction, Sizes sizes, Weights weights, float[] x,
            TttState<float[]> memory) {
        TttState<Rows> known = sizes.layer(false).state(CpuOps::empty);
        CpuOps.restore(memory, known);
        Rows rows = Rows.zeros(x.length / sizes.width(), sizes.width());
        System.arraycopy(x, 0, rows.values(), 0, x.length);
        List<Rows> results = instruction.apply(new CpuOps(weights), sizes, rows, known);
        List<double[]> flat = new ArrayList<>();
        for (Rows result : results) {
            flat.add(GoldenFixture.doubles(result.toArray()));
        }
        return flat;
    }

    /** The default bodies of the composites are their meaning: the CPU's own forms give the same. */
    @ParameterizedTest(name = "{0} {1} T {2}, seed 5")
    @MethodSource("instructions")
    void compositeOverridesOfTheCpu(Instruction instruction, Sizes sizes, int tokens) {
        Weights weights = Weights.init(sizes.params(), 5).freeze(true);
        float[] x = normal(new SplittableRandom(6), tokens * sizes.width(), 1);
        Rows rows = Rows.zeros(tokens, sizes.width());
        System.arraycopy(x, 0, rows.values(), 0, x.length);
        List<float[]> fast = arrays(instruction.apply(new CpuOps(weights), sizes, rows,
                sizes.layer(false).state(CpuOps::empty)));
        List<float[]> plain = arrays(instruction.apply(withoutOverrides(new CpuOps(weights)), sizes, rows,
                sizes.layer(false).state(CpuOps::empty)));
        for (int i = 0; i < plain.size(); i++) {
            assertThat(fast.get(i)).isEqualTo(plain.get(i));
        }
    }

    private static List<float[]> arrays(List<Rows> rows) {
        return rows.stream().map(Rows::toArray).toList();
    }

    @ParameterizedTest(name = "D {0} F {1} M {2} H {3} {4} {5} B {6} T {7} decay {8}")
    @CsvSource({"7, 9, 3, 1, PREDICT_NEXT, AFTER, 1, 5, false", "33, 17, 9, 3, PREDICT_NEXT, AFTER, 3, 70, false",
            "33, 17, 9, 3, RECONSTRUCT, BEFORE, 3, 65, true", "207, 31, 12, 1, PREDICT_NEXT, BEFORE, 2, 64, false",
            "16, 40, 6, 2, RECONSTRUCT, AFTER, 3, 130, false", "33, 17, 9, 3, PREDICT_NEXT, AFTER, 2, 130, true",
            "7, 9, 3, 1, PREDICT_NEXT, AFTER, 1, 1, true"})
    void model(int width, int inner, int memoryWidth, int heads, Objective objective, Read read, int batch,
            int tokens, boolean decay) {
        for (boolean rounded : new boolean[]{false, true}) {
            BitLlama model = new BitLlama(BitLlamaConfig.of(23, width, 2, inner)
                    .withTtt(new BitLlamaConfig.Ttt(memoryWidth, heads, objective, OptionalDouble.empty(), decay, true,
                            read))
                    .withQuantization(new Quantization(true, rounded)));
            Weights weights = Weights.init(model.params(), 9);
            int[] ids = new SplittableRandom(9).ints((long) batch * tokens, 0, 23).toArray();
            // A rounding tie that flips moves a sum by one step.
            double tolerance = rounded ? 3e-2 : 1e-4;
            try (TrainingGraph graph = TrainingGraph.inference(model, batch, tokens)) {
                graph.load(weights);
                float[][] logits = graph.logits(ids);
                for (int stream = 0; stream < batch; stream++) {
                    int[] own = Arrays.copyOfRange(ids, stream * tokens, (stream + 1) * tokens);
                    double[] naive = GoldenFixture.flat(model.forward(new NaiveOps(weights),
                            model.memories(NaiveOps::empty), Doubles.tokens(own)).rows());
                    CpuOps ops = new CpuOps(weights.freeze(true));
                    float[] cpu = model.forward(ops, model.memories(CpuOps::empty),
                            ops.tokens(own, 0, tokens)).toArray();
                    float[] recorded = new float[cpu.length];
                    for (int t = 0; t < tokens; t++) {
                        System.arraycopy(logits[stream * tokens + t], 0, recorded, t * 23, 23);
                    }
                    assertThat(GoldenFixture.relativeError(naive, GoldenFixture.doubles(cpu))).as("cpu")
                            .isLessThan(tolerance);
                    assertThat(GoldenFixture.relativeError(naive, GoldenFixture.doubles(recorded))).as("graph")
                            .isLessThan(tolerance);
                }
            }
        }
    }

    /** The split law in the graph: its memories carry from one segment to the next. */
    @ParameterizedTest(name = "split {0} of 70")
    @CsvSource({"1", "5", "63", "64", "69"})
    void graphMemoriesCarry(int split) {
        BitLlama model = new BitLlama(BitLlamaConfig.of(23, 33, 2, 17));
        Weights weights = Weights.init(model.params(), 3);
        int[] ids = new SplittableRandom(3).ints(2 * 70, 0, 23).toArray();
        try (TrainingGraph whole = TrainingGraph.inference(model, 2, 70);
                TrainingGraph first = TrainingGraph.inference(model, 2, split);
                TrainingGraph second = TrainingGraph.inference(model, 2, 70 - split)) {
            Stream.of(whole, first, second).forEach(graph -> graph.load(weights));
            float[][] expected = whole.logits(ids);
            first.logits(segment(ids, 0, split));
            second.setMemories(first.memories());
            float[][] got = second.logits(segment(ids, split, 70));
            for (int stream = 0; stream < 2; stream++) {
                for (int t = split; t < 70; t++) {
                    assertThat(GoldenFixture.relativeError(GoldenFixture.doubles(expected[stream * 70 + t]),
                            GoldenFixture.doubles(got[stream * (70 - split) + t - split]))).isLessThan(3e-2);
                }
            }
            assertThat(GoldenFixture.relativeError(GoldenFixture.doubles(whole.memories().getLast().parts().getFirst()),
                    GoldenFixture.doubles(second.memories().getLast().parts().getFirst()))).isLessThan(3e-2);
        }
    }

    private static int[] segment(int[] ids, int from, int to) {
        return Stream.of(Arrays.copyOfRange(ids, from, to), Arrays.copyOfRange(ids, 70 + from, 70 + to))
                .flatMapToInt(Arrays::stream).toArray();
    }

    /** Passes primitive instructions on and leaves the composite ones to their default bodies. */
    @SuppressWarnings("unchecked")
    private static Ops<Rows> withoutOverrides(CpuOps ops) {
        return (Ops<Rows>) Proxy.newProxyInstance(Ops.class.getClassLoader(), new Class<?>[]{Ops.class},
                (proxy, method, arguments) -> method.isDefault()
                        ? InvocationHandler.invokeDefault(proxy, method, arguments)
                        : method.invoke(ops, arguments));
    }
}
