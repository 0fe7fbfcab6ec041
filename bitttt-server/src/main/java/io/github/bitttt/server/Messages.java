package io.github.bitttt.server;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bitttt.llama.chat.ChatMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The messages of a request. */
final class Messages {
    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant", "tool", "function");

    private Messages() {
    }

    /** Reads the messages of a request.
     *
     * @param messages as OpenAI has them
     * @return at least one
     * @throws ApiException that names the message and the field that is wrong */
    static List<ChatMessage> of(JsonNode messages) throws ApiException {
        if (!messages.isArray() || messages.isEmpty()) {
            throw ApiException.invalid("messages",
                    "messages must be an array of at least one, got " + Fields.kind(messages));
        }
        List<ChatMessage> all = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            String content = message(messages.get(i), "messages[" + i + "]");
            String role = messages.get(i).get("role").textValue();
            // Newer clients say developer where older ones say system.
            all.add(new ChatMessage(role.equals("developer") ? ChatMessage.SYSTEM : role, content));
        }
        return List.copyOf(all);
    }

    private static String message(JsonNode message, String where) throws ApiException {
        if (!message.isObject()) {
            throw ApiException.invalid(where, where + " must be an object, got " + Fields.kind(message));
        }
        JsonNode role = message.path("role");
        if (!role.isTextual() || !ROLES.contains(role.textValue())) {
            throw ApiException.invalid(where + ".role",
                    where + ".role must be system, developer, user, assistant, tool or function, got "
                            + Fields.shown(role));
        }
        JsonNode content = message.path("content");
        if (Fields.absent(content) && role.textValue().equals("assistant")) {
            return wordless(message, where);
        }
        return content(content, where + ".content");
    }

    /** What an assistant said that called a tool, or refused, instead of writing text. */
    private static String wordless(JsonNode message, String where) throws ApiException {
        if (message.hasNonNull("refusal")) {
            return Fields.text(message, "refusal");
        }
        if (!message.hasNonNull("tool_calls") && !message.hasNonNull("function_call")) {
            throw ApiException.invalid(where + ".content", where
                    + ".content must be a string or an array of parts where there are no tool_calls, got "
                    + Fields.kind(message.path("content")));
        }
        return "";
    }

    private static String content(JsonNode content, String where) throws ApiException {
        if (content.isTextual()) {
            return content.textValue();
        }
        if (!content.isArray() || content.isEmpty()) {
            throw ApiException.invalid(where,
                    where + " must be a string or an array of parts, got " + Fields.kind(content));
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode part : content) {
            String type = part.path("type").asText();
            if (!(type.equals("text") || type.equals("refusal")) || !part.path(type).isTextual()) {
                throw ApiException.invalid(where,
                        where + " may have parts of type text only, got " + Fields.shown(part));
            }
            text.append(part.get(type).textValue());
        }
        return text.toString();
    }
}
