package io.github.bitttt.llama;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.nn.naive.Doubles;
import io.github.bitttt.nn.naive.NaiveOps;
import java.util.ArrayList;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BitLlamaTest {
    @Test
    void namesAndSizesOfItsTensors() {
        BitLlama model = new BitLlama(BitLlamaConfig.of(2048, 256, 4, 688));
        assertThat(model.params()).hasSize(3 + 4 * 10).extracting(Param::path).contains("embed.weight",
                "layers.3.ttt.rate.weight", "layers.0.mlp.gate_proj.weight", "norm_f.weight", "lm_head.weight");
        assertThat(model)
                .hasToString(
                        String.format(Locale.ROOT, "BitLlama[V 2048, D 256, 4 layers, F 688, M 64, %,d parameters]",
                                model.parameters()));
        assertThat(model.parameters()).isEqualTo(model.params().stream().mapToLong(Param::length).sum());
    }

    @ParameterizedTest
    @CsvSource({"1, 7, 1, 3", "5, 33, 12, 17", "11, 6, 2, 1"})
    void anySizeWorks(int vocabulary, int width, int layers, int inner) {
        BitLlama model = new BitLlama(BitLlamaConfig.of(vocabulary, width, layers, inner));
        NaiveOps ops = new NaiveOps(Weights.init(model.params(), 1));
        Doubles logits = model.forward(ops, model.memories(NaiveOps::empty), Doubles.tokens(0, vocabulary - 1));
        assertThat(logits.rows()).hasDimensions(2, vocabulary);
        assertThat(logits.rows()[1]).doesNotContain(Double.NaN);
    }

    @Test
    void refusesImpossibleSizes() {
        assertThatIllegalArgumentException().isThrownBy(() -> BitLlamaConfig.of(0, 8, 1, 8))
                .withMessage("vocab_size must be at least 1, got 0");
        assertThatIllegalArgumentException().isThrownBy(() -> BitLlamaConfig.Ttt.standard(0))
                .withMessage("ttt.memory_size must be at least 1, got 0");
        BitLlama model = new BitLlama(BitLlamaConfig.of(4, 8, 2, 8));
        NaiveOps ops = new NaiveOps(Weights.init(model.params(), 1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> model.forward(ops, new ArrayList<>(), Doubles.tokens(1)))
                .withMessage("one memory for each of 2 blocks is needed, got 0");
    }
}
