package io.github.bitttt.llama.generate;

import java.util.Optional;
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
        Generation generation = begin(prompt, limit);
        for (Optional<String> piece = generation.next(); piece.isPresent(); piece = generation.next()) {
            pieces.accept(piece.get());
        }
        return new Written(generation.promptTokens(), generation.tokens(), generation.end().orElseThrow());
    }

    /** The same text, to be pulled piece by piece.
     *
     * @param prompt any text, as above
     * @param limit  the most tokens to write
     * @return nothing read or written yet */
    public Generation begin(String prompt, int limit) {
        return new Generation(session, sampler, cancelled, prompt, limit);
    }
}
