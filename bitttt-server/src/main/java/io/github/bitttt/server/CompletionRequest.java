package io.github.bitttt.server;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bitttt.llama.generate.GenerationOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.StringJoiner;

/**
 * What a client asks for, checked.
 *
 * @param model   its name
 * @param prompt  the text to go on with
 * @param options how it goes on: the model's defaults, and what the client names
 * @param stream  piece by piece, as server-sent events
 * @param usage   a last event with token counts
 * @param session the name of a session to go on with
 * @param watch   a layer whose memory is sent along with each token
 */
record CompletionRequest(String model, String prompt, GenerationOptions options, boolean stream, boolean usage,
        Optional<String> session, OptionalInt watch) {
    private static final List<String> NUMBERS = List.of("temperature", "top_p", "top_k", "repetition_penalty",
            "sequence_penalty", "seed");
    private static final int MOST_STOPS = 4;
    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant");

    /** Reads a request.
     *
     * @param body      of the request
     * @param chat      messages instead of a prompt
     * @param maxTokens what a client may ask for
     * @param defaults  of the model, with a seed for a request that names none
     * @throws ApiException that names the field that is wrong */
    static CompletionRequest parse(JsonNode body, boolean chat, int maxTokens, GenerationOptions defaults)
            throws ApiException {
        if (!body.isObject()) {
            throw ApiException.invalid("", "the body must be a JSON object, got " + kind(body));
        }
        if (body.path("n").asInt(1) != 1 || body.path("best_of").asInt(1) != 1) {
            throw ApiException.invalid("n", "n and best_of must be 1: one answer for each request");
        }
        JsonNode own = body.path("bitttt");
        Optional<String> session = session(own.path("session"));
        String prompt = chat ? messages(body.path("messages"), session.isPresent()) : prompt(body.path("prompt"));
        boolean stream = flag(body, "stream");
        OptionalInt watch = own.path("watch").isMissingNode()
                ? OptionalInt.empty()
                : OptionalInt.of(whole(own, "watch", 0, 0, Integer.MAX_VALUE));
        if (watch.isPresent() && !stream) {
            throw ApiException.invalid("bitttt.watch",
                    "a memory can be watched in a stream only; add \"stream\": true");
        }
        GenerationOptions options = options(body, defaults.withEcho(watch.isPresent()), maxTokens)
                .withStop(stops(body.path("stop")).toArray(String[]::new));
        return new CompletionRequest(text(body, "model"), prompt, options, stream,
                flag(body.path("stream_options"), "include_usage"), session, watch);
    }

    private static GenerationOptions options(JsonNode body, GenerationOptions defaults, int maxTokens)
            throws ApiException {
        GenerationOptions options = defaults.withMaxNewTokens(tokens(body, maxTokens, defaults.maxNewTokens()));
        for (String name : NUMBERS) {
            JsonNode value = body.path(name);
            if (value.isMissingNode() || value.isNull()) {
                continue;
            }
            if (!value.isNumber()) {
                throw ApiException.invalid(name, name + " must be a number, got " + value);
            }
            try {
                options = options.with(name, value.numberValue());
            } catch (IllegalArgumentException e) {
                throw ApiException.invalid(name, e.getMessage());
            }
        }
        return options;
    }

    private static int tokens(JsonNode body, int most, int otherwise) throws ApiException {
        String name = body.hasNonNull("max_completion_tokens") ? "max_completion_tokens" : "max_tokens";
        return whole(body, name, Math.min(otherwise, most), 0, most);
    }

    private static String prompt(JsonNode prompt) throws ApiException {
        JsonNode text = prompt.isArray() && prompt.size() == 1 ? prompt.get(0) : prompt;
        if (!text.isTextual()) {
            throw ApiException.invalid("prompt", "prompt must be a string, or an array of one, got " + kind(prompt));
        }
        return text.textValue();
    }

    /** All messages as text, one a line; a kept session has read the earlier ones already. */
    private static String messages(JsonNode messages, boolean lastOnly) throws ApiException {
        if (!messages.isArray() || messages.isEmpty()) {
            throw ApiException.invalid("messages", "messages must be an array of at least one, got " + kind(messages));
        }
        StringJoiner text = new StringJoiner("\n");
        for (int i = 0; i < messages.size(); i++) {
            String where = "messages[" + i + "]";
            JsonNode role = messages.get(i).path("role");
            if (!ROLES.contains(role.asText())) {
                throw ApiException.invalid(where + ".role",
                        where + ".role must be system, developer, user or assistant, got " + role);
            }
            String content = content(messages.get(i).path("content"), where + ".content");
            if (!lastOnly || i == messages.size() - 1) {
                text.add(content);
            }
        }
        return text.toString();
    }

    private static String content(JsonNode content, String where) throws ApiException {
        if (content.isTextual()) {
            return content.textValue();
        }
        StringBuilder text = new StringBuilder();
        for (JsonNode part : content) {
            if (!part.path("type").asText().equals("text") || !part.path("text").isTextual()) {
                throw ApiException.invalid(where, where + " may have parts of type text only, got " + part);
            }
            text.append(part.get("text").textValue());
        }
        if (!content.isArray() || content.isEmpty()) {
            throw ApiException.invalid(where, where + " must be a string or an array of parts, got " + kind(content));
        }
        return text.toString();
    }

    private static List<String> stops(JsonNode stop) throws ApiException {
        List<String> stops = new ArrayList<>();
        if (stop.isTextual()) {
            stops.add(stop.textValue());
        } else if (stop.isArray()) {
            stop.forEach(text -> stops.add(text.isTextual() ? text.textValue() : ""));
        } else if (!stop.isMissingNode() && !stop.isNull()) {
            stops.add("");
        }
        if (stops.size() > MOST_STOPS || stops.contains("")) {
            throw ApiException.invalid("stop",
                    "stop must be a string or an array of 1 to " + MOST_STOPS + ", none empty, got " + stop);
        }
        return List.copyOf(stops);
    }

    private static Optional<String> session(JsonNode name) throws ApiException {
        if (name.isMissingNode() || name.isNull()) {
            return Optional.empty();
        }
        if (!name.isTextual() || !name.textValue().matches("[A-Za-z0-9_-]{1,64}")) {
            throw ApiException.invalid("bitttt.session",
                    "bitttt.session must be 1 to 64 letters, digits, - or _, got " + name);
        }
        return Optional.of(name.textValue());
    }

    private static String text(JsonNode body, String field) throws ApiException {
        JsonNode value = body.path(field);
        if (!value.isTextual()) {
            throw ApiException.invalid(field, field + " must be a string, got " + kind(value));
        }
        return value.textValue();
    }

    private static boolean flag(JsonNode body, String field) throws ApiException {
        JsonNode value = body.path(field);
        if (!value.isMissingNode() && !value.isNull() && !value.isBoolean()) {
            throw ApiException.invalid(field, field + " must be true or false, got " + value);
        }
        return value.asBoolean(false);
    }

    private static int whole(JsonNode body, String field, int otherwise, int from, int to) throws ApiException {
        double value = number(body, field, otherwise, from, to);
        if (value != Math.rint(value)) {
            throw ApiException.invalid(field, field + " must be a whole number, got " + body.get(field));
        }
        return (int) value;
    }

    private static double number(JsonNode body, String field, double otherwise, double from, double to)
            throws ApiException {
        JsonNode value = body.path(field);
        if (value.isMissingNode() || value.isNull()) {
            return otherwise;
        }
        if (!value.isNumber() || !(value.doubleValue() >= from && value.doubleValue() <= to)) {
            throw ApiException.invalid(field,
                    String.format(Locale.ROOT, "%s must be a number from %.0f to %.0f, got %s", field, from, to,
                            value));
        }
        return value.doubleValue();
    }

    private static String kind(JsonNode node) {
        return node.isMissingNode() ? "nothing" : node.getNodeType().name().toLowerCase(Locale.ROOT);
    }
}
