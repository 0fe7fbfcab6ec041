package io.github.bitttt.llama.chat;

import io.github.bitttt.llama.text.Tokenizer;
import java.util.List;

/**
 * How a model reads a conversation: markers and texts in turn. {@link ChatFormat} has those of the known families; for another model write
 * one of these and give it to {@code Model.withChatTemplate}.
 *
 * <pre>{@code
 * record Lines() implements ChatTemplate {
 *     public List<Part> parts(List<ChatMessage> messages) {
 *         List<Part> parts = new ArrayList<>();
 *         for (ChatMessage message : messages) {
 *             parts.add(Part.marker("<|" + message.role() + "|>"));
 *             parts.add(Part.text(message.content()));
 *         }
 *         parts.add(Part.marker("<|assistant|>"));
 *         return parts;
 *     }
 *     ...
 * }
 * }</pre>
 *
 * <p>Each part becomes tokens by itself. In a marker special tokens are tokens, in a text they are letters; so nobody can write a marker
 * into a message. Where a marker is no special token of the tokenizer, {@link #markers()} names it, and a text that has the same letters is
 * cut into other tokens.
 *
 * <p>A conversation goes on by parts as well: what an answer ends with ({@link #close()}), then further messages. So what was read once need
 * not be read again. Implementations are immutable, for any thread.
 */
public interface ChatTemplate {
    /**
     * A piece of a conversation.
     *
     * @param text   its letters
     * @param marker whether it is the format's own; else somebody wrote it
     */
    record Part(String text, boolean marker) {
        /** A piece of the format, in which special tokens are tokens.
         *
         * @param text its letters
         * @return a part */
        public static Part marker(String text) {
            return new Part(text, true);
        }

        /** What somebody wrote, in which special tokens are letters.
         *
         * @param text its letters
         * @return a part */
        public static Part text(String text) {
            return new Part(text, false);
        }
    }

    /** What stands before the first message of a conversation; once, also where the tokenizer puts it there.
     *  @return parts, usually none */
    default List<Part> begin() {
        return List.of();
    }

    /** Messages, up to where the model's answer begins.
     *
     * @param messages at least one; the first of a conversation, or such as follow an answer
     * @return their parts
     * @throws IllegalArgumentException if it has no form for a role */
    List<Part> parts(List<ChatMessage> messages);

    /** What closes an answer of the model, whose end token has not been read, before further messages.
     *  @return parts, perhaps none */
    List<Part> close();

    /** The special tokens that end an answer.
     *  @return their contents; those that a tokenizer does not have are left aside */
    List<String> ends();

    /** Texts that end an answer and are not part of it.
     *  @return usually none */
    default List<String> stop() {
        return List.of();
    }

    /** The markers that no text may write.
     *  @return their letters */
    default List<String> markers() {
        return List.of();
    }

    /** Checks that a tokenizer has what this format needs.
     *
     * @param tokenizer of a model
     * @throws IllegalArgumentException that names what is missing */
    default void check(Tokenizer tokenizer) {
    }
}
