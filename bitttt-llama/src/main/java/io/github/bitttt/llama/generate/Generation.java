package io.github.bitttt.llama.generate;

import io.github.bitttt.llama.text.StreamDecoder;
import io.github.bitttt.llama.text.Tokenizer;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;

/**
 * A text that is being written, for whoever wants to pull its pieces. For one thread; whoever stops pulling need not end it.
 */
public final class Generation {
    private final Session session;
    private final Sampler sampler;
    private final BooleanSupplier cancelled;
    private final int[] prompt;
    private final int limit;
    private final StreamDecoder decoder;
    private final OptionalInt endOfText;
    private float[] logits; // of the next token; null until the prompt is read
    private int tokens;
    private Optional<Generator.End> end = Optional.empty();

    Generation(Session session, Sampler sampler, BooleanSupplier cancelled, String prompt, int limit) {
        if (limit < 0) {
            throw new IllegalArgumentException("tokens to write must be at least 0, got " + limit);
        }
        Tokenizer tokenizer = session.model().tokenizer();
        this.session = session;
        this.sampler = sampler;
        this.cancelled = cancelled;
        this.prompt = promptIds(tokenizer, prompt);
        this.limit = limit;
        decoder = tokenizer.streamDecoder();
        endOfText = tokenizer.endOfText();
    }

    private static int[] promptIds(Tokenizer tokenizer, String prompt) {
        int[] ids = tokenizer.encode(prompt);
        if (ids.length > 0) {
            return ids;
        }
        return new int[]{tokenizer.endOfText().orElseThrow(() -> new IllegalArgumentException(
                "the prompt is empty, and the tokenizer has no " + Tokenizer.END_OF_TEXT + " to begin with"))};
    }

    /** The next piece: whole characters, of tokens that the session has read by then. The first call reads the prompt.
     *
     * @return never empty text; nothing once the text has ended */
    public Optional<String> next() {
        if (logits == null) {
            sampler.seen(prompt);
            logits = session.feed(prompt);
        }
        while (end.isEmpty()) {
            if (tokens == limit || cancelled.getAsBoolean()) {
                return ended(tokens == limit ? Generator.End.LIMIT : Generator.End.CANCELLED);
            }
            int id = sampler.pick(logits);
            if (endOfText.isPresent() && id == endOfText.getAsInt()) {
                return ended(Generator.End.END_OF_TEXT);
            }
            tokens++;
            String piece = decoder.next(id);
            logits = session.feed(id);
            if (!piece.isEmpty()) {
                return Optional.of(piece);
            }
        }
        return Optional.empty();
    }

    private Optional<String> ended(Generator.End why) {
        end = Optional.of(why);
        return Optional.of(decoder.end()).filter(rest -> !rest.isEmpty());
    }

    /** Why the text ended.
     *  @return nothing while it goes on */
    public Optional<Generator.End> end() {
        return end;
    }

    /** Tokens of the prompt.
     *  @return at least 1 */
    public int promptTokens() {
        return prompt.length;
    }

    /** Tokens written so far, the end token not counted.
     *  @return at most the limit */
    public int tokens() {
        return tokens;
    }
}
