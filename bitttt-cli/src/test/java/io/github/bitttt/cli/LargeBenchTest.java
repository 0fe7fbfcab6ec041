package io.github.bitttt.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.bitttt.llama.AttentionForm;
import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.GatedDeltaForm;
import io.github.bitttt.llama.HeadForm;
import io.github.bitttt.llama.MlpForm;
import io.github.bitttt.nn.Activation;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class LargeBenchTest {
    private static BitLlamaConfig small() {
        return BitLlamaConfig.of(300, 64, 2, 96).withMixers(List.of(AttentionForm.of(64, 4)))
                .with(new MlpForm(Activation.RELU_SQUARED, true), new HeadForm(true, false))
                .with(OptionalDouble.empty(), OptionalInt.of(128));
    }

    @Test
    void aSmallShapeIsMeasuredInTheFieldsThatAreDocumented() throws Exception {
        Map<String, Object> figures = new LargeBench(new LargeBench.Shape(small(), 0), List.of(0, 32), List.of(16))
                .figures("small");
        assertThat(figures).containsKeys("model", "decode", "prefill", "load_seconds", "resident_bytes",
                "read_gigabytes_per_second", "bytes_per_token");
        // The head, which is the embedding, is read whole for each token: 300 rows of 64 bytes with a scale each.
        assertThat((Long) figures.get("bytes_per_token")).isBetween(300L * 68, 300L * 68 + 64 * 1024);
        List<?> decode = (List<?>) figures.get("decode");
        assertThat(decode).hasSize(2).allSatisfy(figure -> {
            assertThat((Double) ((Map<?, ?>) figure).get("tokens_per_second")).isPositive();
            assertThat((Double) ((Map<?, ?>) figure).get("share_of_bandwidth_bound")).isPositive();
        });
        // 32 tokens, keys and values of two layers, 64 floats each.
        assertThat((Long) ((Map<?, ?>) decode.get(1)).get("bytes_per_token")
                - (Long) ((Map<?, ?>) decode.get(0)).get("bytes_per_token")).isEqualTo(32L * 2 * 2 * 64 * 4);
    }

    @Test
    void thePublishedShapesHaveAsManyWeightsAsTheirModels() {
        assertThat(new BitLlama(LargeBench.shape("bitnet-2b4t").config()).parameters())
                .isEqualTo(2_084_044_800L + 328_335_360L + 440_320L);
        assertThat(new BitLlama(LargeBench.shape("Llama3-8B").config()).parameters()).isEqualTo(8_030_261_248L);
        assertThat(new BitLlama(LargeBench.shape("falcon3-10b").config()).parameters()).isBetween(10_200_000_000L,
                10_400_000_000L);
    }

    /** Ternary numbers and others of Bonsai, as their files have them; a gated delta layer's rates and decays are among the ternary ones there. */
    @Test
    void bonsaisShapesHaveAsManyWeightsAsTheirModels() {
        assertThat(new BitLlama(LargeBench.shape("bonsai-1.7b").config()).parameters())
                .isEqualTo(1_719_904_256L + 123_904L);
        assertThat(new BitLlama(LargeBench.shape("bonsai-4b").config()).parameters())
                .isEqualTo(4_021_588_480L + 196_096L);
        assertThat(new BitLlama(LargeBench.shape("bonsai-8b").config()).parameters())
                .isEqualTo(8_188_239_872L + 308_224L);
        assertThat(new BitLlama(LargeBench.shape("bonsai-27b").config()).parameters())
                .isEqualTo(26_893_352_960L + 2_645_504L);
    }

    /** Scales of groups, and memories that each token reads and writes. */
    @Test
    void aHybridIsMeasuredToo() throws Exception {
        BitLlamaConfig hybrid = BitLlamaConfig.of(300, 128, 2, 128)
                .withMixers(List.of(GatedDeltaForm.of(2, 64), AttentionForm.of(128, 2)))
                .with(OptionalDouble.empty(), OptionalInt.of(128));
        Map<String, Object> figures = new LargeBench(new LargeBench.Shape(hybrid, 64), List.of(0), List.of(16))
                .figures("hybrid");
        long memory = 8L * (2 * 64 * 64 + 3 * 3 * 128);
        assertThat((Long) figures.get("bytes_per_token")).isGreaterThan(memory + 300L * 132);
        assertThat((Double) ((Map<?, ?>) ((List<?>) figures.get("decode")).getFirst()).get("tokens_per_second"))
                .isPositive();
    }

    @Test
    void whatCannotBeMeasuredIsRefused() {
        assertThatThrownBy(() -> LargeBench.shape("gpt-5")).hasMessage("--like must be one of bitnet-2b4t, falcon3-1b,"
                + " falcon3-3b, falcon3-7b, falcon3-10b, llama3-8b, bonsai-1.7b, bonsai-4b, bonsai-8b, bonsai-27b, got gpt-5");
        assertThatThrownBy(() -> new LargeBench(new LargeBench.Shape(small(), 0), List.of(105), List.of(1)))
                .hasMessage("--contexts must be 0 to 104 tokens for this shape, got 105");
        assertThatThrownBy(() -> new LargeBench(new LargeBench.Shape(small(), 0), List.of(0), List.of(0)))
                .hasMessage("--prompts must be 1 to 104 tokens for this shape, got 0");
        BitLlamaConfig huge = BitLlamaConfig.of(1 << 20, 1 << 10, 3, 1 << 20)
                .withMixers(List.of(AttentionForm.of(1 << 10, 4)));
        BitLlamaConfig endless = huge.withMixers(List.of(AttentionForm.of(1 << 10, 1)));
        assertThatThrownBy(
                () -> new LargeBench(new LargeBench.Shape(endless, 0), List.of(1 << 28), List.of(1)).figures("huge"))
                .hasMessageContaining("huge takes about").hasMessageContaining("GB are free");
    }
}
