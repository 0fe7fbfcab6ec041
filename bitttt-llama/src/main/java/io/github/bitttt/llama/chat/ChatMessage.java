package io.github.bitttt.llama.chat;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.text.Excerpt;
import java.util.ArrayList;
import java.util.List;

/**
 * What somebody said.
 *
 * @param role    who: usually {@value #SYSTEM}, {@value #USER} or {@value #ASSISTANT}
 * @param content any text
 */
public record ChatMessage(String role, String content) {
    /** Who sets the rules. */
    public static final String SYSTEM = "system";
    /** Who asks. */
    public static final String USER = "user";
    /** Who answers: the model. */
    public static final String ASSISTANT = "assistant";

    private static final int MAX_SHOWN = 100;
    private static final ObjectMapper JSON = new ObjectMapper().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /** Rules for the answers.
     *
     * @param content any text
     * @return a message */
    public static ChatMessage system(String content) {
        return new ChatMessage(SYSTEM, content);
    }

    /** A question.
     *
     * @param content any text
     * @return a message */
    public static ChatMessage user(String content) {
        return new ChatMessage(USER, content);
    }

    /** An answer that was given.
     *
     * @param content any text
     * @return a message */
    public static ChatMessage assistant(String content) {
        return new ChatMessage(ASSISTANT, content);
    }

    /** Reads messages.
     *
     * @param json such as {@code [{"role": "user", "content": "Hello"}]}
     * @return at least one
     * @throws IllegalArgumentException if it is something else */
    public static List<ChatMessage> parse(String json) {
        JsonNode root;
        try {
            root = JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    "messages must be a JSON array: " + Excerpt.of(e.getOriginalMessage(), MAX_SHOWN), e);
        }
        if (!root.isArray() || root.isEmpty()) {
            throw new IllegalArgumentException("messages must be a JSON array of at least one, got "
                    + Excerpt.of(root.toString(), MAX_SHOWN));
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonNode message : root) {
            if (message.size() != 2 || !message.path("role").isTextual() || !message.path("content").isTextual()) {
                throw new IllegalArgumentException("messages[" + messages.size()
                        + "] must be an object with a role and a content, both texts, got "
                        + Excerpt.of(message.toString(), MAX_SHOWN));
            }
            messages.add(new ChatMessage(message.get("role").textValue(), message.get("content").textValue()));
        }
        return List.copyOf(messages);
    }
}
