package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.cpu.CpuOps;
import io.github.bitttt.nn.cpu.Rows;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The CPU reading against the independent reference. */
class CpuGoldenTest {
    @ParameterizedTest
    @MethodSource("io.github.bitttt.tests.GoldenFixture#names")
    void logitsAndMemory(String name) {
        GoldenFixture golden = GoldenFixture.load(name);
        // A rounding tie that flips moves a sum by one step.
        double tolerance = name.endsWith("int8") ? 3e-2 : 1e-4;
        CpuOps ops = new CpuOps(golden.weights().freeze(true));
        List<MixerState<Rows>> memories = golden.model().memories(CpuOps::empty);
        int[] ids = golden.inputs();
        Rows logits = golden.model().forward(ops, memories, ops.tokens(ids, 0, ids.length));
        assertThat(GoldenFixture.relativeError(GoldenFixture.flat(golden.logits()),
                GoldenFixture.doubles(logits.toArray())))
                .isLessThan(tolerance);
        for (int layer = 0; layer < memories.size(); layer++) {
            MixerState<float[]> memory = CpuOps.export(memories.get(layer));
            assertThat(GoldenFixture.relativeError(golden.memories().get(layer).weights(),
                    GoldenFixture.doubles(memory.parts().getFirst()))).isLessThan(tolerance);
        }
    }
}
