package io.github.bitttt.llama.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.llama.measure.Evaluation;
import io.github.bitttt.llama.measure.MemoryEffect;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class GenerationTest {
    @Test
    void sameSeedSameTextAndThePromptIsReadOnce() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        StringBuilder first = new StringBuilder();
        StringBuilder second = new StringBuilder();
        for (StringBuilder text : new StringBuilder[]{first, second}) {
            try (Session session = model.newSession()) {
                Generator.Written written = new Generator(session, Sampler.of(0.9, 5)).generate("One day", 40,
                        text::append);
                assertThat(session.position()).isEqualTo(written.prompt() + written.tokens());
            }
        }
        assertThat(first).isNotEmpty().hasToString(second.toString()).doesNotContain(Tokenizer.END_OF_TEXT);
    }

    @Test
    void anEmptyPromptBeginsADocument() throws IOException {
        try (Session session = TinyModel.of(33, 1, 3).newSession()) {
            assertThat(new Generator(session, Sampler.of(0, 1)).generate("", 3, _ -> {}).prompt()).isEqualTo(1);
        }
    }

    @Test
    void piecesArePulled() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        StringBuilder pushed = new StringBuilder();
        StringBuilder pulled = new StringBuilder();
        try (Session one = model.newSession(); Session other = model.newSession()) {
            Generator.Written written = new Generator(one, Sampler.of(0.9, 5)).generate("One day", 40, pushed::append);
            Generation generation = new Generator(other, Sampler.of(0.9, 5)).begin("One day", 40);
            assertThat(other.position()).isZero();
            assertThat(generation.end()).isEmpty();
            for (Optional<String> piece = generation.next(); piece.isPresent(); piece = generation.next()) {
                assertThat(piece.get()).isNotEmpty();
                pulled.append(piece.get());
                assertThat(other.position()).isEqualTo(generation.promptTokens() + generation.tokens());
            }
            assertThat(generation.end()).contains(written.end());
            assertThat(generation.tokens()).isEqualTo(written.tokens());
            assertThat(generation.next()).isEmpty();
        }
        assertThat(pulled).hasToString(pushed.toString());
    }

    @Test
    void canBeCancelled() throws IOException {
        AtomicInteger asked = new AtomicInteger();
        try (Session session = TinyModel.of(33, 1, 3).newSession()) {
            Generator.Written written = new Generator(session, Sampler.of(1, 2), () -> asked.incrementAndGet() > 2)
                    .generate("One", 100, _ -> {});
            assertThat(written.end()).isEqualTo(Generator.End.CANCELLED);
            assertThat(written.tokens()).isEqualTo(2);
        }
    }

    /** The measure, by hand: tokens one by one, the memory emptied just before each end token is fed. */
    @Test
    void evaluationIsWhatItsDefinitionSays() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        int[] ids = model.tokenizer().encode(TinyModel.TEXT);
        double nats = 0;
        try (Session session = model.newSession()) {
            for (int i = 0; i + 1 < ids.length; i++) {
                if (ids[i] == 0) {
                    session.reset();
                }
                nats += Evaluation.surprise(session.feed(ids[i]), ids[i + 1]);
            }
        }
        Evaluation evaluation = Evaluation.of(model, TinyModel.TEXT, new Evaluation.Reset.Document());
        int bytes = TinyModel.TEXT.replace(Tokenizer.END_OF_TEXT, "").length();
        assertThat(evaluation.tokens()).isEqualTo(ids.length - 1);
        assertThat(evaluation.bytes()).isEqualTo(bytes);
        assertThat(evaluation.natsPerToken()).isCloseTo(nats / (ids.length - 1), offset(1e-4));
        assertThat(evaluation.bitsPerByte()).isCloseTo(nats / Math.log(2) / bytes, offset(1e-3));
        assertThat(Evaluation.of(model, TinyModel.TEXT, new Evaluation.Reset.Every(1)).natsPerToken())
                .isNotCloseTo(evaluation.natsPerToken(), offset(1e-6));
        assertThatIllegalArgumentException().isThrownBy(() -> Evaluation.of(model, "", new Evaluation.Reset.Never()))
                .withMessage("a text of at least 2 tokens is needed, got 0");
    }

    @Test
    void aPatternIsLearned() {
        double[] losses = MemoryEffect.patternLosses(1);
        assertThat(losses).hasSize(300);
        assertThat(losses[0]).isCloseTo(0.5, offset(1e-4));
        assertThat(losses[297] + losses[298] + losses[299]).isLessThan(0.1 * (losses[0] + losses[1] + losses[2]));
    }

    @Test
    void readingsAreMeasured() throws IOException {
        MemoryEffect.Readings readings = MemoryEffect.readings(TinyModel.of(33, 2, 3), "One day a cat sat.",
                "Two dogs ran.");
        assertThat(readings.kept()).hasSize(3);
        assertThat(readings.kept()[0]).isEqualTo(readings.reset()[0]);
        assertThat(readings.reset()).containsOnly(readings.reset()[0]);
    }
}
