package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.train.AdamW;
import io.github.bitttt.train.TrainingGraph;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Ten steps of AdamW against the independent reference. */
class TrainingGoldenTest {
    @ParameterizedTest
    @MethodSource("io.github.bitttt.tests.GoldenFixture#names")
    void tenSteps(String name) {
        GoldenFixture golden = GoldenFixture.load(name);
        JsonNode settings = golden.adamw();
        SequencedMap<Param, float[]> masters = new LinkedHashMap<>();
        SequencedMap<Param, float[]> gradients = new LinkedHashMap<>();
        golden.model().params().forEach(param -> {
            masters.put(param, golden.weights().floats(param).clone());
            gradients.put(param, new float[param.length()]);
        });
        AdamW adam = new AdamW(golden.model().params(), settings.get("weight_decay_on_matrices").doubleValue(),
                settings.get("clip_global_norm").doubleValue());
        try (TrainingGraph graph = TrainingGraph.training(golden.model(), 1, golden.inputs().length)) {
            for (JsonNode step : settings.get("curve")) {
                graph.load(Weights.of(masters));
                assertThat(graph.step(golden.inputs(), golden.targets())).isCloseTo(step.get("loss").doubleValue(),
                        offset(1e-3));
                gradients.forEach(graph::gradient);
                double norm = AdamW.norm(gradients);
                assertThat(norm).isCloseTo(step.get("gradient_norm_before_clip").doubleValue(), offset(3e-3));
                adam.step(masters, gradients, norm, settings.get("lr").doubleValue());
            }
        }
    }
}
