package io.github.bitttt.llama.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.llama.measure.Evaluation;
import io.github.bitttt.llama.measure.Rereading;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class GenerationTest {
    private static final GenerationOptions OPTIONS = GenerationOptions.DEFAULTS
            .withSampling(new SamplerOptions(0.9, 0, 1, 1, 5)).withMaxNewTokens(40);

    @Test
    void sameSeedSameTextAndThePromptIsReadOnce() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        StringBuilder first = new StringBuilder();
        StringBuilder second = new StringBuilder();
        for (StringBuilder text : new StringBuilder[]{first, second}) {
            try (Session session = model.newSession()) {
                Generation.Result written = session.generate("One day", OPTIONS).result();
                text.append(written.text());
                assertThat(session.position()).isEqualTo(written.usage().promptTokens() + written.usage().tokens());
            }
        }
        assertThat(first).isNotEmpty().hasToString(second.toString()).doesNotContain(Tokenizer.END_OF_TEXT);
    }

    @Test
    void anEmptyPromptBeginsADocument() throws IOException {
        try (Session session = TinyModel.of(33, 1, 3).newSession()) {
            Generation generation = session.generate("", OPTIONS.withTemperature(0).withMaxNewTokens(3));
            assertThat(generation.result().usage().promptTokens()).isEqualTo(1);
        }
    }

    /** Each token has been read when it comes out, with the log-probability that the logits before it gave. */
    @Test
    void tokensArePulled() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        try (Session one = model.newSession(); Session other = model.newSession(); Session twin = model.newSession()) {
            Generation.Result written = one.generate("One day", OPTIONS).result();
            Generation generation = other.generate("One day", OPTIONS);
            assertThat(other.position()).isZero();
            assertThat(generation.finish()).isEmpty();
            float[] logits = twin.feed(model.tokenizer().encode("One day"));
            StringBuilder pulled = new StringBuilder();
            int count = 0;
            for (Token token : generation) {
                assertThat(token.prompt()).isFalse();
                assertThat(token.logProbability()).isEqualTo(Token.logProbability(logits, token.id())).isNegative();
                logits = twin.feed(token.id());
                assertThat(other.logits()).containsExactly(logits);
                pulled.append(token);
                count++;
                assertThat(generation.usage().tokens()).isEqualTo(count);
                assertThat(other.position()).isEqualTo(generation.usage().promptTokens() + count);
            }
            assertThat(generation.finish()).contains(written.finish());
            assertThat(generation.usage()).isEqualTo(written.usage());
            assertThat(generation.hasNext()).isFalse();
            assertThatThrownBy(generation::next).isInstanceOf(NoSuchElementException.class)
                    .hasMessage("the text has ended: " + written.finish());
            assertThat(pulled).hasToString(written.text());
        }
    }

    /** The prompt's tokens come first, each with its own log-probability, and the text behind them is the same. */
    @Test
    void thePromptComesWhereItIsAskedFor() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        try (Session session = model.newSession();
                Session other = model.newSession();
                Session reads = model.newSession()) {
            List<Token> tokens = new ArrayList<>();
            Generation generation = session.generate("One day a cat sat", OPTIONS.withEcho(true));
            generation.forEach(tokens::add);
            int prompt = generation.usage().promptTokens();
            assertThat(tokens.subList(0, prompt)).allMatch(Token::prompt);
            assertThat(tokens.subList(prompt, tokens.size())).noneMatch(Token::prompt);
            String text = tokens.stream().map(Token::text).collect(Collectors.joining());
            assertThat(text).isEqualTo(
                    "One day a cat sat" + other.generate("One day a cat sat", OPTIONS).result().text());
            List<Token> scored = reads.score("One day a cat sat");
            assertThat(scored).hasSize(prompt);
            assertThat(scored.getFirst().logProbability()).isNaN();
            for (int i = 1; i < prompt; i++) {
                assertThat(scored.get(i).id()).isEqualTo(tokens.get(i).id());
                assertThat(scored.get(i).text()).isEqualTo(tokens.get(i).text());
                assertThat(scored.get(i).logProbability()).isCloseTo(tokens.get(i).logProbability(), offset(1e-4));
            }
        }
    }

    /** However the model cuts its words into tokens, nothing of the stop text comes out, and all before it does. */
    @Test
    void endsBeforeAStopText() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        String whole = text(model, OPTIONS);
        for (int at = 3; at + 6 < whole.length(); at += 5) {
            String stop = whole.substring(at, at + 6);
            try (Session session = model.newSession()) {
                Generation.Result result = session.generate("One day", OPTIONS.withStop("no such text", stop))
                        .result();
                assertThat(result.text()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
                assertThat(result.finish()).isEqualTo(Generation.Finish.STOP_TEXT);
            }
        }
        // What might have become a stop text and did not comes out at the end.
        String almost = whole.substring(whole.length() - 3) + "\0";
        assertThat(text(model, OPTIONS.withStop(almost))).isEqualTo(whole);
    }

    private static String text(Model model, GenerationOptions options) {
        try (Session session = model.newSession()) {
            return session.generate("One day", options).result().text();
        }
    }

    @Test
    void endsAtAnyOfItsEndTokens() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        List<Integer> ids = new ArrayList<>();
        try (Session session = model.newSession()) {
            session.generate("One day", OPTIONS).forEach(token -> ids.add(token.id()));
        }
        int end = ids.get(4);
        try (Session session = model.newSession()) {
            Generation generation = session.generate("One day", OPTIONS.with("eos_token_id", List.of(0, end)));
            List<Integer> before = new ArrayList<>();
            generation.forEach(token -> before.add(token.id()));
            assertThat(before).isEqualTo(ids.subList(0, ids.indexOf(end)));
            assertThat(generation.finish()).contains(Generation.Finish.END_OF_TEXT);
        }
    }

    @Test
    void canBeCancelled() throws IOException {
        AtomicInteger asked = new AtomicInteger();
        Model model = TinyModel.of(33, 1, 3);
        try (Session session = model.newSession()) {
            Generation.Result written = session.generate(model.tokenizer().encode("One"), OPTIONS, Sampler.of(1, 2),
                    () -> asked.incrementAndGet() > 2).result();
            assertThat(written.finish()).isEqualTo(Generation.Finish.CANCELLED);
            assertThat(written.usage().tokens()).isEqualTo(2);
        }
    }

    /** A long prompt ends between two slices, and the session knows what it has read. */
    @Test
    void canBeCancelledWhileItReads() throws IOException {
        Model model = TinyModel.of(33, 1, 3);
        int[] prompt = new int[10 * Generation.SLICE];
        Arrays.fill(prompt, 7);
        AtomicInteger asked = new AtomicInteger();
        try (Session session = model.newSession()) {
            Generation generation = session.generate(prompt, OPTIONS, Sampler.of(1, 2),
                    () -> asked.incrementAndGet() == 3);
            assertThat(generation.hasNext()).isFalse();
            assertThat(generation.finish()).contains(Generation.Finish.CANCELLED);
            assertThat(generation.usage()).isEqualTo(new Generation.Usage(3 * Generation.SLICE, 0));
            assertThat(session.position()).isEqualTo(3 * Generation.SLICE);
        }
    }

    @Test
    void canBeCancelledFromAnotherThread() throws Exception {
        try (Session session = TinyModel.of(33, 1, 3).newSession()) {
            Generation generation = session.generate("One", OPTIONS.withMaxNewTokens(Integer.MAX_VALUE)
                    .with("eos_token_id", 269).withSampling(SamplerOptions.GREEDY));
            assertThat(generation.next().text()).isNotNull();
            Thread canceller = Thread.ofPlatform().start(generation::cancel);
            Generation.Result result = generation.result();
            canceller.join();
            assertThat(result.finish()).isEqualTo(Generation.Finish.CANCELLED);
        }
    }

    /** Slices are no more than a way of reading: the text is that of a prompt fed at once. */
    @Test
    void aSlicedPromptIsAPrompt() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        int[] prompt = new int[3 * Generation.SLICE + 7];
        Arrays.setAll(prompt, i -> 3 + i * 31 % 200);
        try (Session sliced = model.newSession(); Session whole = model.newSession()) {
            Generation generation = sliced.generate(prompt, OPTIONS.withMaxNewTokens(0), Sampler.of(0, 1), () -> false);
            assertThat(generation.hasNext()).isFalse();
            assertThat(generation.finish()).contains(Generation.Finish.LIMIT);
            assertThat(sliced.logits()).containsExactly(whole.feed(prompt));
        }
    }

    @Test
    void aUserBringsASampler() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        try (Session session = model.newSession(); Session other = model.newSession()) {
            Sampler likeliest = logits -> {
                int best = 0;
                for (int id = 1; id < logits.length; id++) {
                    best = logits[id] > logits[best] ? id : best;
                }
                return best;
            };
            assertThat(session.generate("One day", OPTIONS, likeliest).result())
                    .isEqualTo(other.generate("One day", OPTIONS.withSampling(SamplerOptions.GREEDY)).result());
        }
    }

    @Test
    void severalPromptsAtOnceAreWhatEachIsAlone() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        List<String> prompts = List.of("One day", "Two dogs", "", "The end of the day", "a cat");
        List<Generation.Result> together = model.generate(prompts, OPTIONS);
        for (int i = 0; i < prompts.size(); i++) {
            try (Session session = model.newSession()) {
                assertThat(together.get(i)).isEqualTo(session.generate(prompts.get(i), OPTIONS).result());
            }
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
    void readingsAreMeasured() throws IOException {
        Rereading.Readings readings = Rereading.readings(TinyModel.of(33, 2, 3), "One day a cat sat.",
                "Two dogs ran.");
        assertThat(readings.kept()).hasSize(3);
        assertThat(readings.kept()[0]).isEqualTo(readings.reset()[0]);
        assertThat(readings.reset()).containsOnly(readings.reset()[0]);
    }
}
