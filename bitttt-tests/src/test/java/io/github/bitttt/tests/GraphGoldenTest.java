package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.TttState;
import io.github.bitttt.train.TrainingGraph;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The graph reading against the independent reference: loss, logits, memories and every gradient. */
class GraphGoldenTest {
    @ParameterizedTest
    @MethodSource("io.github.bitttt.tests.GoldenFixture#names")
    void lossLogitsMemoriesAndGradients(String name) {
        GoldenFixture golden = GoldenFixture.load(name);
        try (TrainingGraph graph = TrainingGraph.training(golden.model(), 1, golden.inputs().length)) {
            graph.load(golden.weights());
            assertThat(graph.step(golden.inputs(), golden.targets())).isCloseTo(golden.loss(), offset(2e-4));
            assertMemories(golden.memories(), graph.memories());
            Map<String, double[]> gradients = golden.gradients();
            for (Param param : golden.model().params()) {
                assertThat(gradientError(gradients.get(param.path()), graph, param)).as(param.path()).isLessThan(1e-3);
            }
            assertThatIllegalStateException().isThrownBy(() -> graph.logits(golden.inputs()))
                    .withMessage(
                            "a training graph keeps no logits, its largest array; ask one of TrainingGraph.inference");
        }
        try (TrainingGraph graph = TrainingGraph.inference(golden.model(), 1, golden.inputs().length)) {
            graph.load(golden.weights());
            float[][] logits = graph.logits(golden.inputs());
            double[][] expected = golden.logits();
            for (int t = 0; t < expected.length; t++) {
                assertThat(GoldenFixture.relativeError(expected[t], GoldenFixture.doubles(logits[t]))).isLessThan(2e-4);
            }
        }
    }

    private static void assertMemories(List<TttState<double[]>> expected, List<MixerState<float[]>> got) {
        for (int layer = 0; layer < expected.size(); layer++) {
            for (int part = 0; part < 3; part++) {
                assertClose(expected.get(layer).parts().get(part), got.get(layer).parts().get(part));
            }
        }
    }

    private static void assertClose(double[] expected, float[] got) {
        assertThat(GoldenFixture.relativeError(expected, GoldenFixture.doubles(got))).isLessThan(2e-4);
    }

    /** The norm of the difference over the norm of the expected gradient. */
    private static double gradientError(double[] expected, TrainingGraph graph, Param param) {
        float[] got = new float[param.length()];
        graph.gradient(param, got);
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < got.length; i++) {
            difference += Math.pow(expected[i] - got[i], 2);
            norm += expected[i] * expected[i];
        }
        return Math.sqrt(difference / norm);
    }
}
