package io.github.bitttt.llama.chat;

import io.github.bitttt.llama.chat.ChatTemplate.Part;
import io.github.bitttt.llama.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** Conversations as token ids: each part of a template by itself. Immutable, for any thread. */
public final class ChatPrompt {
    private final ChatTemplate template;
    private final Tokenizer tokenizer;
    /** Markers that a text could write: they are letters, or tokens that are not special. */
    private final List<String> letters;

    /** Conversations of one model.
     *
     * @param template  of the model
     * @param tokenizer of the model
     * @throws IllegalArgumentException if the tokenizer has not what the template needs */
    public ChatPrompt(ChatTemplate template, Tokenizer tokenizer) {
        template.check(tokenizer);
        this.template = template;
        this.tokenizer = tokenizer;
        letters = template.markers().stream().filter(marker -> !tokenizer.isSpecial(marker)).toList();
    }

    /** A conversation from its first message, up to where the next answer begins.
     *
     * @param messages at least one
     * @return ids, with what stands before a first text */
    public int[] first(List<ChatMessage> messages) {
        int[] ids = joined(template.begin(), template.parts(notEmpty(messages)));
        OptionalInt begin = tokenizer.beginOfText();
        if (begin.isEmpty() || ids.length > 0 && ids[0] == begin.getAsInt()) {
            return ids;
        }
        return IntStream.concat(IntStream.of(begin.getAsInt()), Arrays.stream(ids)).toArray();
    }

    /** Further messages, up to where the next answer begins.
     *
     * @param messages at least one
     * @param answered whether the model's own answer stands before them, which must be closed
     * @return ids */
    public int[] next(List<ChatMessage> messages, boolean answered) {
        return joined(answered ? template.close() : List.of(), template.parts(notEmpty(messages)));
    }

    private static List<ChatMessage> notEmpty(List<ChatMessage> messages) {
        if (messages.isEmpty()) {
            throw new IllegalArgumentException("a conversation has at least 1 message, got 0");
        }
        return messages;
    }

    /** The tokens that end an answer.
     *  @return ids of those that the tokenizer has */
    public List<Integer> ends() {
        return template.ends().stream().map(tokenizer::addedToken).filter(OptionalInt::isPresent)
                .map(OptionalInt::getAsInt).toList();
    }

    /** What the messages are written by.
     *  @return the template */
    public ChatTemplate template() {
        return template;
    }

    private int[] joined(List<Part> before, List<Part> parts) {
        List<Part> all = new ArrayList<>(before);
        all.addAll(parts);
        return all.stream().map(part -> part.marker() ? tokenizer.encode(part.text()) : text(part.text()))
                .flatMapToInt(Arrays::stream).toArray();
    }

    /** A text that somebody wrote. */
    private int[] text(String text) {
        return letters.stream().noneMatch(text::contains) ? tokenizer.encodeAsText(text) : cut(text);
    }

    /** A text with letters of a marker: they become tokens one by one, so that they are others than the marker's. */
    private int[] cut(String text) {
        IntStream.Builder ids = IntStream.builder();
        int from = 0;
        for (int at = 0; at < text.length(); at++) {
            int start = at;
            String marker = letters.stream().filter(one -> text.startsWith(one, start)).findFirst().orElse("");
            if (marker.isEmpty()) {
                continue;
            }
            Arrays.stream(tokenizer.encodeAsText(text.substring(from, at))).forEach(ids);
            marker.codePoints().mapToObj(Character::toString)
                    .forEach(letter -> Arrays.stream(tokenizer.encodeAsText(letter)).forEach(ids));
            from = at + marker.length();
            at = from - 1;
        }
        Arrays.stream(tokenizer.encodeAsText(text.substring(from))).forEach(ids);
        int[] all = ids.build().toArray();
        for (String marker : letters) {
            if (contains(all, tokenizer.encode(marker))) {
                throw new IllegalArgumentException("a message holds " + marker
                        + ", and this tokenizer has no other tokens for these letters than those of the marker");
            }
        }
        return all;
    }

    private static boolean contains(int[] ids, int[] some) {
        return IntStream.rangeClosed(0, ids.length - some.length)
                .anyMatch(at -> Arrays.equals(ids, at, at + some.length, some, 0, some.length));
    }
}
