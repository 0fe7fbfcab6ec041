package io.github.bitttt.llama.adapt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import java.util.function.IntBinaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever the text: the mixture costs at most ln 2 nats more than the frozen model, in total. */
class PromiseLawsTest {
    private static final int V = 67;
    private static final int D = 24;
    private static final int TOKENS = 100_000;
    private static final OutputMemory FORM = new OutputMemory(2, 0.2, 3e-4, 50, 16, 8);

    /** What the next token is, given its index and the token before. */
    enum Text {
        RANDOM, ONE_TOKEN, REPEATED, SHUFFLED_REPEATS, FREQUENT_WORDS;

        IntBinaryOperator tokens() {
            SplittableRandom random = new SplittableRandom(5);
            return switch (this) {
                case RANDOM -> (index, before) -> random.nextInt(V);
                case ONE_TOKEN -> (index, before) -> 3;
                case REPEATED -> (index, before) -> new SplittableRandom(index % 500).nextInt(V);
                case SHUFFLED_REPEATS -> (index, before) -> new SplittableRandom(index % 20 + 20L * random.nextInt(9))
                        .nextInt(V);
                case FREQUENT_WORDS -> (index, before) -> (int) (V * Math.pow(random.nextDouble(), 4));
            };
        }
    }

    /** Feeds a text; the adversary may look at the logarithms of the mixture. */
    private static OutputAdapter read(Text text, int tokens) {
        IntBinaryOperator next = text.tokens();
        Reader reader = new Reader();
        for (int i = 0, token = 0; i < tokens; i++) {
            reader.predict(token);
            token = next.applyAsInt(i, token);
            reader.adapter.learn(token);
        }
        return reader.adapter;
    }

    private static final class Reader {
        final RandomHead head = new RandomHead(V, D, 1);
        final OutputAdapter adapter = new OutputAdapter(FORM, head);
        final float[] hidden = new float[D];
        final float[] adapted = new float[D];
        final float[] logits = new float[V];
        final float[] adaptedLogits = new float[V];
        final float[] mixture = new float[V];

        void predict(int context) {
            head.hidden(context, hidden);
            adapter.adapt(hidden, 0, adapted);
            head.logits(hidden, logits);
            head.logits(adapted, adaptedLogits);
            adapter.predict(logits, adaptedLogits, 0, mixture);
        }
    }

    @ParameterizedTest
    @EnumSource
    void costsAtMostLn2MoreThanTheFrozenModel(Text text) {
        OutputAdapter adapter = read(text, TOKENS);
        assertThat(adapter.learned()).isEqualTo(TOKENS);
        assertThat(adapter.nats()).isLessThanOrEqualTo(adapter.frozenNats() + Math.log(2) + 1e-6);
    }

    @Test
    void anAdversaryWhoTakesWhatTheMemoryThinksLeastLikelyGainsNoMore() {
        Reader reader = new Reader();
        int token = 0;
        for (int i = 0; i < TOKENS; i++) {
            reader.predict(token);
            token = 0;
            for (int word = 1; word < V; word++) {
                // What the memory made less likely most, against the frozen model.
                float worse = reader.logits[word] - reader.mixture[word];
                token = worse > reader.logits[token] - reader.mixture[token] ? word : token;
            }
            reader.adapter.learn(token);
        }
        assertThat(reader.adapter.nats()).isLessThanOrEqualTo(reader.adapter.frozenNats() + Math.log(2) + 1e-6);
    }

    @Test
    void anAdversaryWhoTeachesAndThenBetraysGainsNoMore() {
        Reader reader = new Reader();
        SplittableRandom random = new SplittableRandom(2);
        int token = 0;
        for (int i = 0; i < TOKENS; i++) {
            reader.predict(token);
            token = i / 1000 % 2 == 0 ? i % 30 : random.nextInt(V);
            reader.adapter.learn(token);
        }
        assertThat(reader.adapter.nats()).isLessThanOrEqualTo(reader.adapter.frozenNats() + Math.log(2) + 1e-6);
    }

    @Test
    void aRepeatedTextIsLearned() {
        OutputAdapter adapter = read(Text.REPEATED, 20_000);
        assertThat(adapter.nats()).isLessThan(adapter.frozenNats() / 2);
    }

    @Test
    void whatIsToldIsADistributionAndTheSameAsWhatIsCounted() {
        Reader reader = new Reader();
        IntBinaryOperator next = Text.SHUFFLED_REPEATS.tokens();
        for (int i = 0, token = 0; i < 3000; i++) {
            reader.predict(token);
            double sum = 0;
            for (float log : reader.mixture) {
                sum += Math.exp(log);
            }
            assertThat(sum).isBetween(1 - 1e-4, 1 + 1e-4);
            token = next.applyAsInt(i, token);
            double before = reader.adapter.nats();
            reader.adapter.learn(token);
            assertThat(reader.adapter.nats() - before).isBetween(-reader.mixture[token] - 2e-4,
                    -reader.mixture[token] + 2e-4);
        }
    }

    @Test
    void nothingBecomesInfinite() {
        // The endurance profile sets more; this is what a build has time for.
        int tokens = Integer.getInteger("bitttt.adapt.tokens", 200_000);
        for (Text text : new Text[]{Text.RANDOM, Text.FREQUENT_WORDS}) {
            OutputAdapter adapter = read(text, tokens);
            assertThat(adapter.nats()).isFinite();
            for (float value : adapter.matrix.matrix) {
                assertThat(value).isBetween(-ErrorMatrix.MOST, ErrorMatrix.MOST);
            }
            assertThat(adapter.save()).hasSameSizeAs(new OutputAdapter(FORM, new RandomHead(V, D, 1)).save());
        }
    }

    @Test
    void savedAndRestoredItGoesOnEqualToTheBit() {
        Reader first = new Reader();
        IntBinaryOperator next = Text.FREQUENT_WORDS.tokens();
        int token = 0;
        for (int i = 0; i < 2000; i++) {
            first.predict(token);
            token = next.applyAsInt(i, token);
            first.adapter.learn(token);
        }
        Reader second = new Reader();
        second.adapter.restore(first.adapter.save());
        for (int i = 0; i < 300; i++) {
            first.predict(token);
            second.predict(token);
            assertThat(second.mixture).isEqualTo(first.mixture);
            token = next.applyAsInt(i, token);
            first.adapter.learn(token);
            second.adapter.learn(token);
        }
        assertThat(second.adapter.save()).isEqualTo(first.adapter.save());
    }
}
