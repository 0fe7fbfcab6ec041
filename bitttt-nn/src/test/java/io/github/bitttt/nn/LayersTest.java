package io.github.bitttt.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bitttt.nn.BitLinear.Quantization;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LayersTest {
    private static BitLinear projection(String path, int out, int in) {
        return new BitLinear(Param.ternary(path, out, in), Quantization.BITNET);
    }

    private static TttLayer layer(int heads) {
        return new TttLayer(projection("down", 6, 8), projection("up", 8, 6), heads, Objective.PREDICT_NEXT,
                new InnerRate.Constant(0.5), Optional.empty(), Optional.empty(), Read.AFTER);
    }

    @Test
    void sizesOfATttLayer() {
        TttLayer layer = layer(3);
        assertThat(layer.width()).isEqualTo(8);
        assertThat(layer.memoryWidth()).isEqualTo(6);
        assertThat(layer.headWidth()).isEqualTo(2);
        assertThat(layer.params()).extracting(Param::path).containsExactly("down", "up");
    }

    @Test
    void learnedPartsAreParameters() {
        TttLayer layer = new TttLayer(projection("down", 6, 8), projection("up", 8, 6), 1, Objective.RECONSTRUCT,
                new InnerRate.Learned(
                        new Param("rate", List.of(1, 8), Param.Kind.FLOAT, new Param.Init.Constant(0)),
                        Param.vector("bias", 1, 0)),
                Optional.of(new InnerRate.Learned(
                        new Param("decay", List.of(1, 8), Param.Kind.FLOAT, new Param.Init.Constant(0)),
                        Param.vector("decay.bias", 1, 6))),
                Optional.of(Param.vector("shift", 8, 0.5)), Read.BEFORE);
        assertThat(layer.params()).extracting(Param::path).containsExactly("down", "up", "shift", "rate", "bias",
                "decay", "decay.bias");
    }

    @Test
    void headsDivideTheMemory() {
        assertThatIllegalArgumentException().isThrownBy(() -> layer(4))
                .withMessage("down: heads must divide the memory width 6, got 4");
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, -0.1, 1.5, Double.NaN})
    void innerRateIsInRange(double rate) {
        assertThatIllegalArgumentException().isThrownBy(() -> new InnerRate.Constant(rate))
                .withMessage("inner rate must be in (0, 1], got " + rate);
    }

    @Test
    void projectionsFitTogether() {
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> GatedMlp.swiGlu(projection("gate", 5, 8), projection("up", 6, 8),
                                projection("down", 8, 6)))
                .withMessage("gate gate [5, 8], up up [6, 8] and down down [8, 6] do not fit: gate and up are [F, D], "
                        + "down is [D, F]");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> new BitLinear(new Param("a", List.of(2, 2), Param.Kind.FLOAT, new Param.Init.Constant(0)),
                                Quantization.BITNET))
                .withMessage("a: BitLinear takes a TERNARY parameter, got FLOAT");
    }
}
