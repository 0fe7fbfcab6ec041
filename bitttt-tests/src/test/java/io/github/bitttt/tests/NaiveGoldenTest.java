package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.TttState;
import io.github.bitttt.nn.naive.Doubles;
import io.github.bitttt.nn.naive.NaiveOps;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The naive reading against the independent reference. */
class NaiveGoldenTest {
    private static List<MixerState<Doubles>> emptyMemories(GoldenFixture golden) {
        return golden.model().memories(NaiveOps::empty);
    }

    private static Doubles logits(GoldenFixture golden, List<MixerState<Doubles>> memories) {
        return golden.model().forward(new NaiveOps(golden.weights()), memories, Doubles.tokens(golden.inputs()));
    }

    @ParameterizedTest
    @MethodSource("io.github.bitttt.tests.GoldenFixture#names")
    void logitsAndMemory(String name) {
        GoldenFixture golden = GoldenFixture.load(name);
        List<MixerState<Doubles>> memories = emptyMemories(golden);
        double[] logits = GoldenFixture.flat(logits(golden, memories).rows());
        assertThat(GoldenFixture.relativeError(GoldenFixture.flat(golden.logits()), logits)).isLessThan(1e-7);
        for (int layer = 0; layer < memories.size(); layer++) {
            TttState<double[]> expected = golden.memories().get(layer);
            List<Doubles> got = memories.get(layer).parts();
            for (int part = 0; part < got.size(); part++) {
                assertClose(expected.parts().get(part), got.get(part));
            }
        }
    }

    private static void assertClose(double[] expected, Doubles got) {
        assertThat(GoldenFixture.relativeError(expected, GoldenFixture.flat(got.rows()))).isLessThan(1e-7);
    }

    @ParameterizedTest
    @MethodSource("io.github.bitttt.tests.GoldenFixture#names")
    void loss(String name) {
        GoldenFixture golden = GoldenFixture.load(name);
        assertThat(loss(golden)).isCloseTo(golden.loss(), offset(1e-7));
    }

    /** Central differences of the naive loss are the reference's gradients, for parameters that no rounding touches. */
    @ParameterizedTest
    @MethodSource("floatFixtures")
    void centralDifferences(String name) {
        GoldenFixture golden = GoldenFixture.load(name);
        Map<String, double[]> gradients = golden.gradients();
        for (Param param : golden.model().params()) {
            if (param.kind() == Param.Kind.TERNARY) {
                continue;
            }
            double[] expected = gradients.get(param.path());
            double largest = 0;
            for (double value : expected) {
                largest = Math.max(largest, Math.abs(value));
            }
            int stride = Math.max(1, param.length() / 12);
            for (int i = 0; i < param.length(); i += stride) {
                assertThat(centralDifference(golden, param, i)).as("%s element %d", param, i)
                        .isCloseTo(expected[i], offset(2e-4 * largest + 1e-9));
            }
        }
    }

    static List<String> floatFixtures() {
        return GoldenFixture.names().stream().filter(name -> name.endsWith("float")).toList();
    }

    private static double centralDifference(GoldenFixture golden, Param param, int index) {
        float[] values = golden.weights().floats(param);
        float[] above = values.clone();
        float[] below = values.clone();
        above[index] += 1e-3f;
        below[index] -= 1e-3f;
        double up = loss(with(golden, param, above));
        double down = loss(with(golden, param, below));
        // The step that float arithmetic really took.
        return (up - down) / ((double) above[index] - below[index]);
    }

    private static GoldenFixture with(GoldenFixture golden, Param param, float[] values) {
        return new GoldenFixture(golden.name(), golden.model(), golden.weights().with(Map.of(param, values)),
                golden.tokenIds(), golden.expected());
    }

    private static double loss(GoldenFixture golden) {
        double[][] logits = logits(golden, emptyMemories(golden)).rows();
        double nats = 0;
        for (int t = 0; t < logits.length; t++) {
            double largest = Double.NEGATIVE_INFINITY;
            for (double logit : logits[t]) {
                largest = Math.max(largest, logit);
            }
            double sum = 0;
            for (double logit : logits[t]) {
                sum += Math.exp(logit - largest);
            }
            nats += largest + Math.log(sum) - logits[t][golden.targets()[t]];
        }
        return nats / logits.length;
    }
}
