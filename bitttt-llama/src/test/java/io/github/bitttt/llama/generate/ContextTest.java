package io.github.bitttt.llama.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What attention keeps: how much may be read, and what need not be read again. */
class ContextTest {
    private static final int LIMIT = 150;
    private static Tokenizer tokenizer;
    private static Model model;

    @BeforeAll
    static void make() throws IOException {
        tokenizer = Tokenizer.parse(BpeTrainer.train(TinyModel.TEXT, 270), "test");
        BitLlamaConfig config = BitLlamaConfig.of(270, 32, 2, 96).withAttention(4)
                .with(OptionalDouble.empty(), OptionalInt.of(LIMIT));
        model = Model.of(new Checkpoint(config, Weights.init(new BitLlama(config).params(), 3), Map.of()), tokenizer);
    }

    @AfterAll
    static void close() {
        tokenizer.close();
    }

    private static int[] ids(int count, int seed) {
        return new SplittableRandom(seed).ints(count, 0, 270).toArray();
    }

    private static GenerationOptions greedy(int tokens) {
        // An end token that is never the likeliest: texts have as many tokens as were asked for.
        return model.defaults().with("sequence_penalty", 0).withTemperature(0).withMaxNewTokens(tokens)
                .with("eos_token_id", 269);
    }

    private static Generation resume(Session session, int[] text, GenerationOptions options) {
        return session.resume(text, options, Sampler.of(options.sampling()), () -> false);
    }

    /** Kept or read again: the same text follows, also where penalties look at the whole prompt. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 40, 63, 64, 65, 99})
    void whatIsCommonIsNotReadAgain(int common) {
        int[] first = ids(100, 1);
        int[] second = ids(110, 2);
        System.arraycopy(first, 0, second, 0, common);
        second[common] = (first[common] + 1) % 270;
        GenerationOptions options = greedy(12).with("repetition_penalty", 1.3);
        try (Session kept = model.newSession(); Session fresh = model.newSession()) {
            kept.feed(first);
            assertThat(kept.inCommon(second)).isEqualTo(common);
            Generation again = resume(kept, second, options);
            assertThat(again.kept()).isEqualTo(common);
            String expected = fresh.generate(second, options, Sampler.of(options.sampling()), () -> false).result()
                    .text();
            Generation.Result result = again.result();
            assertThat(result.text()).isEqualTo(expected);
            assertThat(result.usage()).isEqualTo(new Generation.Usage(110, 12));
            assertThat(kept.position()).isEqualTo(122);
            assertThat(kept.logits()).usingComparatorWithPrecision(1e-4f).containsExactly(fresh.logits());
        }
    }

    @Test
    void allThatWasReadMayBeTheBeginning() {
        int[] text = ids(20, 5);
        try (Session session = model.newSession(); Session other = session.fork()) {
            session.feed(Arrays.copyOf(text, 12));
            assertThat(session.inCommon(text)).isEqualTo(12);
            try (Session fork = session.fork()) {
                assertThat(fork.inCommon(text)).isEqualTo(12);
            }
            // The very same text again: its last token is read anew, for its logits.
            assertThat(session.inCommon(Arrays.copyOf(text, 12))).isEqualTo(11);
            assertThat(other.inCommon(text)).isZero();
            session.reset();
            assertThat(session.inCommon(text)).isZero();
            assertThat(resume(session, text, greedy(3)).result().usage().promptTokens()).isEqualTo(20);
            assertThat(resume(session, text, greedy(3).withEcho(true)).kept()).isZero();
        }
    }

    /** A file tells how many tokens were read, but not which. */
    @Test
    void afterAFileNothingIsKnownToBeCommon(@TempDir Path folder) throws IOException {
        int[] text = ids(30, 6);
        try (Session session = model.newSession(); Session loaded = model.newSession()) {
            session.feed(text);
            session.saveMemory(folder.resolve("memory"));
            loaded.loadMemory(folder.resolve("memory"));
            assertThat(loaded.inCommon(text)).isZero();
            assertThatThrownBy(() -> loaded.feed(ids(121, 1))).isInstanceOf(ContextLimitException.class)
                    .hasMessage(
                            "the model's context takes 150 tokens, got 121 more behind the 30 that were read before; "
                                    + "shorten the text or begin a new session");
            assertThat(loaded.feed(ids(120, 1))).hasSize(270);
        }
    }

    /** A memory cannot forget single tokens: it begins anew, and so does a memory at the output. */
    @Test
    void memoriesBeginAnew() throws IOException {
        int[] text = ids(20, 7);
        Model memories = TinyModel.of(16, 2, 1);
        try (Session session = memories.newSession();
                Session fresh = memories.newSession();
                Session adapted = model.newSession(OutputMemory.standard());
                Session other = model.newSession(OutputMemory.standard())) {
            session.feed(ids(9, 8));
            assertThat(resume(session, text, greedy(5)).result().text())
                    .isEqualTo(resume(fresh, text, greedy(5)).result().text());
            int[] alike = ids(50, 7);
            System.arraycopy(text, 0, alike, 0, 15);
            adapted.feed(alike);
            assertThat(adapted.inCommon(text)).isZero();
            assertThat(resume(adapted, text, greedy(5)).result().text())
                    .isEqualTo(resume(other, text, greedy(5)).result().text());
            assertThat(adapted.logits()).isEqualTo(other.logits());
        }
    }

    @Test
    void noMoreIsReadThanTheContextTakes() {
        int[] text = ids(LIMIT + 1, 9);
        try (Session session = model.newSession()) {
            String message = "the model's context takes 150 tokens, got 151; shorten the text or begin a new session";
            assertThatThrownBy(() -> session.feed(text)).isInstanceOf(ContextLimitException.class).hasMessage(message);
            assertThatThrownBy(() -> session.feed(text, (_, _) -> {})).hasMessage(message);
            assertThatThrownBy(() -> session.generate(text, greedy(1), Sampler.of(greedy(1).sampling()), () -> false))
                    .hasMessage(message);
            assertThatThrownBy(() -> resume(session, text, greedy(1))).hasMessage(message);
            assertThatThrownBy(() -> model.embed("a ".repeat(LIMIT))).isInstanceOf(ContextLimitException.class);
            assertThat(session.position()).isZero();
            session.feed(Arrays.copyOf(text, LIMIT));
            assertThatThrownBy(() -> session.feed(1)).hasMessageContaining("got 1 more behind the 150");
            session.reset();
            assertThat(session.feed(1)).hasSize(270);
        }
    }

    @Test
    void aTextEndsWhereTheContextDoes() {
        try (Session session = model.newSession()) {
            int[] prompt = ids(LIMIT - 4, 10);
            Generation generation = session.generate(prompt, greedy(300), Sampler.of(greedy(300).sampling()),
                    () -> false);
            Generation.Result result = generation.result();
            assertThat(result.finish()).isEqualTo(Generation.Finish.LIMIT);
            assertThat(result.usage()).isEqualTo(new Generation.Usage(LIMIT - 4, 4));
            assertThat(session.position()).isEqualTo(LIMIT);
        }
    }
}
