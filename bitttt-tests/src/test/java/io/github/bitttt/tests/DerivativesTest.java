package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.TttState;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.nn.naive.Doubles;
import io.github.bitttt.nn.naive.NaiveOps;
import io.github.bitttt.tests.Instruction.Sizes;
import io.github.bitttt.train.TrainingGraph;
import io.github.bitttt.train.graph.GraphIds;
import io.github.bitttt.train.graph.GraphOps;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The hand-written derivatives against those of SameDiff's own operations, and against central differences. */
class DerivativesTest {
    private static final EnumSet<Instruction> ROUNDED = EnumSet.of(Instruction.BIT_LINEAR_ROUNDED,
            Instruction.SWI_GLU_ROUNDED, Instruction.RELU_SQUARED_ROUNDED, Instruction.TTT_DEFAULT,
            Instruction.GATED_OF_TWO_ROUNDINGS);

    static Stream<Arguments> instructions() {
        return Stream.of(Arguments.of(new Sizes(7, 5, 6, 3), 3), Arguments.of(new Sizes(12, 9, 4, 1), 70))
                .flatMap(shape -> EnumSet.allOf(Instruction.class).stream()
                        .map(instruction -> Arguments.of(instruction, shape.get()[0], shape.get()[1])));
    }

    private record Point(Weights weights, float[] x, TttState<float[]> memory) {
        static Point of(Sizes sizes, int tokens) {
            SplittableRandom random = new SplittableRandom(7);
            int d = sizes.memoryWidth() / sizes.heads();
            return new Point(Weights.init(sizes.params(), 7).freeze(true), normal(random, tokens * sizes.width(), 1),
                    new TttState<>(normal(random, sizes.memoryWidth() * d, 0.3), normal(random, sizes.width(), 1),
                            normal(random, sizes.memoryWidth(), 0.4)));
        }

        private static float[] normal(SplittableRandom random, int size, double deviation) {
            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
                values[i] = (float) (deviation * random.nextGaussian());
            }
            return values;
        }
    }

    @ParameterizedTest(name = "{0} {1} T {2}, seed 7")
    @MethodSource("instructions")
    void handWrittenRulesAreThoseOfTheOperations(Instruction instruction, Sizes sizes, int tokens) {
        Point at = Point.of(sizes, tokens);
        Map<String, double[]> stock = Graphs.gradients(instruction, sizes, at.weights(), tokens, at.x(), at.memory(),
                true);
        Map<String, double[]> ours = Graphs.gradients(instruction, sizes, at.weights(), tokens, at.x(), at.memory(),
                false);
        assertThat(ours.keySet()).isEqualTo(stock.keySet()).contains("x");
        stock.forEach((name, expected) -> assertThat(GoldenFixture.relativeError(expected, ours.get(name))).as(name)
                .isLessThan(1e-3));
    }

    /** Where nothing rounds, the gradient of x is what central differences of the naive reading say. */
    @ParameterizedTest(name = "{0} {1} T {2}, seed 7")
    @MethodSource("instructions")
    void centralDifferencesOfNaive(Instruction instruction, Sizes sizes, int tokens) {
        if (ROUNDED.contains(instruction)) {
            return; // straight-through estimators are not derivatives; the test above speaks for them
        }
        Point at = Point.of(sizes, tokens);
        double[] gradient = Graphs
                .gradients(instruction, sizes, at.weights(), tokens, at.x(), at.memory(), false).get("x");
        double largest = Arrays.stream(gradient).map(Math::abs).max().orElseThrow();
        int stride = Math.max(1, gradient.length / 25);
        for (int i = 0; i < gradient.length; i += stride) {
            double step = 1e-5;
            double difference = (squares(instruction, sizes, at, i, step) - squares(instruction, sizes, at, i, -step))
                    / (2 * step);
            assertThat(gradient[i]).as("x[%d]", i).isCloseTo(difference, offset(1e-3 * largest));
        }
    }

    private static double squares(Instruction instruction, Sizes sizes, Point at, int index, double step) {
        int d = sizes.memoryWidth() / sizes.heads();
        Doubles x = rows(at.x(), sizes.width());
        x.rows()[index / sizes.width()][index % sizes.width()] += step;
        TttState<Doubles> memory = new TttState<>(rows(at.memory().weights(), d),
                rows(at.memory().previous(), sizes.width()), rows(at.memory().feature(), sizes.memoryWidth()));
        return instruction.apply(new NaiveOps(at.weights()), sizes, x, memory).stream()
                .map(y -> GoldenFixture.flat(y.rows()))
                .mapToDouble(y -> IntStream.range(0, y.length).mapToDouble(i -> Graphs.share(i) * y[i] * y[i]).sum())
                .sum();
    }

    private static Doubles rows(float[] values, int columns) {
        double[][] rows = new double[values.length / columns][columns];
        for (int i = 0; i < values.length; i++) {
            rows[i / columns][i % columns] = values[i];
        }
        return new Doubles(rows);
    }

    /** A graph of stock operations, differentiated by SameDiff itself, gives the gradients of the training graph. */
    @Test
    void sameDiffsOwnGradientsOfAStockGraph() {
        BitLlama model = new BitLlama(
                BitLlamaConfig.of(11, 8, 2, 12).withQuantization(new Quantization(true, false)));
        Weights weights = Weights.init(model.params(), 2);
        int[] ids = {3, 1, 4, 1, 5, 9, 2, 6};
        int[] targets = {1, 4, 1, 5, 9, 2, 6, 5};
        try (TrainingGraph ours = TrainingGraph.training(model, 1, ids.length)) {
            ours.load(weights);
            ours.step(ids, targets);
            Map<String, INDArray> stock = stockGradients(model, weights, ids, targets);
            for (Param param : model.params()) {
                float[] got = new float[param.length()];
                ours.gradient(param, got);
                assertThat(GoldenFixture.relativeError(GoldenFixture.doubles(stock.get(param.path()).dup('c')
                        .reshape(param.length()).toFloatVector()), GoldenFixture.doubles(got))).as(param.path())
                        .isLessThan(1e-3);
            }
        }
    }

    private static Map<String, INDArray> stockGradients(BitLlama model, Weights weights, int[] ids, int[] targets) {
        SameDiff graph = SameDiff.create();
        GraphOps ops = GraphOps.stock(graph, 1, ids.length);
        Map<String, INDArray> inputs = new HashMap<>();
        List<MixerState<SDVariable>> memories = new ArrayList<>();
        for (int i = 0; i < model.blocks().size(); i++) {
            String name = "memory." + i;
            MixerState<SDVariable> memory = model.blocks().get(i).mixer().state(part -> ops.input(name, part));
            memories.add(memory);
            for (SDVariable part : memory.parts()) {
                inputs.put(part.name(), Nd4j.zeros(DataType.FLOAT, part.placeholderShape()));
            }
        }
        GraphIds tokens = ops.tokens("ids");
        inputs.put("ids", Nd4j.createFromArray(ids));
        SDVariable logits = model.forward(ops, memories, tokens);
        SDVariable labels = graph.placeHolder("labels", DataType.FLOAT, ids.length, model.config().vocabSize());
        INDArray oneHot = Nd4j.zeros(DataType.FLOAT, ids.length, model.config().vocabSize());
        for (int t = 0; t < targets.length; t++) {
            oneHot.putScalar(t, targets[t], 1);
        }
        inputs.put("labels", oneHot);
        SDVariable loss = graph.nn().logSoftmax(logits).mul(labels).sum().mul(-1.0 / ids.length);
        graph.setLossVariables(loss.name());
        Weights frozen = weights.freeze(true);
        ops.variables().forEach((param, variable) -> variable.setArray(Graphs.array(param, frozen.get(param))));
        return graph.calculateGradients(inputs, model.params().stream().map(Param::path).toList());
    }
}
