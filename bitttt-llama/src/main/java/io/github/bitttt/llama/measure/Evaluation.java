package io.github.bitttt.llama.measure;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.generate.Token;
import io.github.bitttt.llama.text.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * How well a model predicts a text.
 *
 * @param natsPerToken    mean cross entropy
 * @param bitsPerByte     all nats / ln 2 / UTF-8 bytes of the text without its end markers
 * @param tokens          that were predicted: all but the first
 * @param bytes           of the text without its end markers
 * @param tokensPerSecond of the measurement
 */
public record Evaluation(double natsPerToken, double bitsPerByte, long tokens, long bytes, double tokensPerSecond) {

    /** When a session forgets while it reads. */
    public sealed interface Reset {
        /** Just before each end token is fed, so that it opens the next document. */
        record Document() implements Reset {}

        /** Never. */
        record Never() implements Reset {}

        /** After every so many tokens.
         *  @param tokens at least 1 */
        record Every(int tokens) implements Reset {
            /** Checks the number. */
            public Every {
                if (tokens < 1) {
                    throw new IllegalArgumentException(
                            "reset must be document, never or at least 1 token, got " + tokens);
                }
            }
        }
    }

    /** Measures a text, read as one stream.
     *
     * @param model with its tokenizer
     * @param text  with {@code <|endoftext|>} between documents
     * @param reset when the memory is emptied
     * @return the measure
     * @throws IllegalArgumentException if the text has fewer than two tokens, or nothing but end markers */
    public static Evaluation of(Model model, String text, Reset reset) {
        Tokenizer tokenizer = model.tokenizer();
        int[] ids = tokenizer.encode(text);
        if (ids.length < 2) {
            throw new IllegalArgumentException("a text of at least 2 tokens is needed, got " + ids.length);
        }
        long bytes = text.replace(Tokenizer.END_OF_TEXT, "").getBytes(StandardCharsets.UTF_8).length;
        if (bytes == 0) {
            throw new IllegalArgumentException(
                    "a text of at least 1 byte between its end markers is needed, got " + ids.length + " end markers");
        }
        long started = System.nanoTime();
        double nats = 0;
        try (Session session = model.newSession()) {
            for (int from = 0; from < ids.length - 1;) {
                int to = segmentEnd(ids, from, reset, tokenizer.endOfText());
                nats += nats(session, ids, from, to);
                session.reset();
                from = to;
            }
        }
        Duration elapsed = Duration.ofNanos(System.nanoTime() - started);
        int predicted = ids.length - 1;
        return new Evaluation(nats / predicted, nats / Math.log(2) / bytes, predicted, bytes,
                predicted * 1e9 / elapsed.toNanos());
    }

    /** Where the memory is emptied next. */
    private static int segmentEnd(int[] ids, int from, Reset reset, OptionalInt end) {
        int last = ids.length - 1;
        return switch (reset) {
            case Reset.Never _ -> last;
            case Reset.Every(int tokens) -> (int) Math.min(last, (long) from + tokens);
            case Reset.Document _ -> {
                int to = from + 1;
                while (to < last && !(end.isPresent() && ids[to] == end.getAsInt())) {
                    to++;
                }
                yield to;
            }
        };
    }

    /** Feeds tokens and sums the surprise at the one after each.
     *
     * @param session that reads
     * @param ids     the stream
     * @param from    first to feed
     * @param to      after the last to feed; ids[to] must be there
     * @return nats over to - from predictions */
    static double nats(Session session, int[] ids, int from, int to) {
        double[] sum = new double[1];
        session.feed(Arrays.copyOfRange(ids, from, to),
                (index, logits) -> sum[0] += surprise(logits, ids[from + index + 1]));
        return sum[0];
    }

    /** How much each token of a text surprises a session that reads it.
     *
     * @param session that reads, and learns
     * @param ids     the text's tokens
     * @return nats of every token but the first */
    public static double[] surprises(Session session, int[] ids) {
        double[] nats = new double[Math.max(0, ids.length - 1)];
        session.feed(ids, (index, logits) -> {
            if (index < nats.length) {
                nats[index] = surprise(logits, ids[index + 1]);
            }
        });
        return nats;
    }

    /** How much a token surprises: -log softmax(logits)[target], in double.
     *
     * @param logits [V] of the token before it
     * @param target its id
     * @return nats */
    public static double surprise(float[] logits, int target) {
        return -Token.logProbability(logits, target);
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "%.4f nats per token, %.4f bits per byte over %,d tokens, %,.0f tokens/s",
                natsPerToken, bitsPerByte, tokens, tokensPerSecond);
    }
}
