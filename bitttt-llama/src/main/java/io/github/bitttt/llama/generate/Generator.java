package io.github.bitttt.llama.generate;

import io.github.bitttt.llama.text.StreamDecoder;
import io.github.bitttt.llama.text.Tokenizer;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * Goes on with a text, piece by piece. For one thread.
 */
public final class Generator {
    private final Session session;
    private final Sampler sampler;
    private final BooleanSupplier cancelled;

    /** A generator of a session, whose memory learns from prompt and text alike.
     *
     * @param session that reads and writes
     * @param sampler that chooses */
    public Generator(Session session, Sampler sampler) {
        this(session, sampler, () -> false);
    }

    /** A generator that can be stopped.
     *
     * @param session   that reads and writes
     * @param sampler   that chooses
     * @param cancelled asked before each token */
    public Generator(Session session, Sampler sampler, BooleanSupplier cancelled) {
        this.session = session;
        this.sampler = sampler;
        this.cancelled = cancelled;
    }

    /** Why a text ended. */
    public enum End {
        /** The model wrote its end token. */
        END_OF_TEXT,
        /** As many tokens as were asked for. */
        LIMIT,
        /** Somebody stopped it. */
        CANCELLED
    }

    /** What was written.
     *
     * @param prompt tokens of the prompt
     * @param tokens written, the end token not counted
     * @param end    why it ended */
    public record Written(int prompt, int tokens, End end) {}

    /** Reads a prompt once and goes on with it.
     *
     * @param prompt any text; an empty one begins a new document in a session that has read nothing
     * @param limit  the most tokens to write
     * @param pieces hears the text as it comes, always whole characters
     * @return how much, and why it ended */
    public Written generate(String prompt, int limit, Consumer<String> pieces) {
        if (limit < 0) {
            throw new IllegalArgumentException("tokens to write must be at least 0, got " + limit);
        }
        Tokenizer tokenizer = session.model().tokenizer();
        int[] ids = promptIds(tokenizer, prompt);
        sampler.seen(ids);
        float[] logits = session.feed(ids);
        StreamDecoder decoder = tokenizer.streamDecoder();
        OptionalInt end = tokenizer.endOfText();
        int written = 0;
        while (true) {
            if (written == limit || cancelled.getAsBoolean()) {
                return ended(pieces, decoder, ids.length, written, written == limit ? End.LIMIT : End.CANCELLED);
            }
            int id = sampler.pick(logits);
            if (end.isPresent() && id == end.getAsInt()) {
                return ended(pieces, decoder, ids.length, written, End.END_OF_TEXT);
            }
            written++;
            String piece = decoder.next(id);
            if (!piece.isEmpty()) {
                pieces.accept(piece);
            }
            logits = session.feed(id);
        }
    }

    private static int[] promptIds(Tokenizer tokenizer, String prompt) {
        int[] ids = tokenizer.encode(prompt);
        if (ids.length > 0) {
            return ids;
        }
        return new int[]{tokenizer.endOfText().orElseThrow(() -> new IllegalArgumentException(
                "the prompt is empty, and the tokenizer has no " + Tokenizer.END_OF_TEXT + " to begin with"))};
    }

    private static Written ended(Consumer<String> pieces, StreamDecoder decoder, int prompt, int written, End end) {
        String rest = decoder.end();
        if (!rest.isEmpty()) {
            pieces.accept(rest);
        }
        return new Written(prompt, written, end);
    }
}
