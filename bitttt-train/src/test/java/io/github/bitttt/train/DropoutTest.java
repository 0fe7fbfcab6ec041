package io.github.bitttt.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class DropoutTest {
    private static final int[] IDS = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3};
    private static final int[] TARGETS = {1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2};
    private static final float[] ALL_COUNT = new float[IDS.length];

    static {
        Arrays.fill(ALL_COUNT, 1);
    }

    private static float[] drawn(long seed, long first, int windows) {
        INDArray factors = Nd4j.ones(windows * 100, 64);
        new Dropout(0.25, List.of(Nd4j.ones(windows * 100, 64), factors)).draw(seed, first, windows);
        return factors.reshape(factors.length()).toFloatVector();
    }

    @Test
    void aQuarterIsLeftOutAndTheMeanStays() {
        float[] factors = drawn(1, 0, 8);
        Map<Float, Integer> counts = new HashMap<>();
        for (float factor : factors) {
            counts.merge(factor, 1, Integer::sum);
        }
        assertThat(counts).containsOnlyKeys(0f, 1 / 0.75f);
        // 51,200 draws: six standard deviations are 0.0115.
        assertThat(counts.get(0f) / (double) factors.length).isCloseTo(0.25, offset(0.0115));
    }

    @Test
    void seedAndWindowDecide() {
        float[] both = drawn(1, 6, 2);
        int half = both.length / 2;
        assertThat(drawn(1, 7, 1)).isEqualTo(Arrays.copyOfRange(both, half, 2 * half))
                .isNotEqualTo(Arrays.copyOf(both, half)).isNotEqualTo(drawn(2, 7, 1));
    }

    /** Without rounding, and of a parameter that is not ternary, the gradient is that of what was dropped. */
    @Test
    void centralDifferencesWithTheSameDraws() {
        BitLlama model = new BitLlama(BitLlamaConfig.of(11, 8, 2, 12).withQuantization(new Quantization(true, false)));
        Weights start = Weights.init(model.params(), 2);
        Param embedding = model.params().getFirst();
        try (TrainingGraph graph = TrainingGraph.training(model, 2, 8, 0.3)) {
            graph.load(start);
            graph.drop(5, 0);
            double loss = graph.step(IDS, TARGETS);
            float[] gradient = new float[embedding.length()];
            graph.gradient(embedding, gradient);
            double largest = IntStream.range(0, gradient.length).mapToDouble(i -> Math.abs(gradient[i])).max()
                    .orElseThrow();
            for (int i = 8; i < gradient.length; i += 5) {
                double difference = (moved(graph, start, embedding, i, 0.001f)
                        - moved(graph, start, embedding, i, -0.001f))
                        / 0.002;
                assertThat(gradient[i]).as("embedding[%d]", i).isCloseTo((float) difference,
                        offset((float) (0.02 * largest)));
            }
            graph.load(start);
            assertThat(graph.step(IDS, TARGETS)).isEqualTo(loss);
            graph.drop(5, 2);
            assertThat(graph.step(IDS, TARGETS)).isNotEqualTo(loss);
        }
    }

    private static double moved(TrainingGraph graph, Weights start, Param param, int index, float step) {
        SequencedMap<Param, float[]> values = new LinkedHashMap<>();
        start.params().forEach(each -> values.put(each, start.floats(each).clone()));
        values.get(param)[index] += step;
        graph.load(Weights.of(values));
        return graph.step(IDS, TARGETS);
    }

    @Test
    void nothingIsLeftOutOfWhatIsMeasured() {
        BitLlama model = new BitLlama(BitLlamaConfig.of(11, 8, 2, 12));
        Weights start = Weights.init(model.params(), 2);
        try (TrainingGraph plain = TrainingGraph.training(model, 2, 8);
                TrainingGraph dropping = TrainingGraph.training(model, 2, 8, 0.5)) {
            plain.load(start);
            dropping.load(start);
            double loss = plain.step(IDS, TARGETS);
            assertThat(dropping.step(IDS, TARGETS)).isEqualTo(loss);
            dropping.drop(1, 0);
            assertThat(dropping.step(IDS, TARGETS)).isNotEqualTo(loss);
            assertThat(dropping.loss(IDS, TARGETS, ALL_COUNT)).isEqualTo(loss);
        }
    }

    @Test
    void theShareIsBelowOne() {
        assertThatIllegalArgumentException().isThrownBy(() -> TrainingOptions.of(1).withDropout(1))
                .withMessage("dropout must be in [0.0, 1.0), got 1.0");
    }
}
