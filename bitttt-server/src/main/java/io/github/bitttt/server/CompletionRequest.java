package io.github.bitttt.server;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bitttt.llama.chat.ChatMessage;
import io.github.bitttt.llama.generate.GenerationOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a client asks for, checked.
 *
 * @param model   its name
 * @param prompt  the text to go on with, where it is no chat
 * @param messages to answer, where it is a chat
 * @param options how it goes on: the model's defaults, and what the client names
 * @param stream  piece by piece, as server-sent events
 * @param usage   a last event with token counts
 * @param session the name of a session to go on with
 * @param watch   a layer whose memory is sent along with each token
 */
record CompletionRequest(String model, String prompt, List<ChatMessage> messages, GenerationOptions options,
        boolean stream, boolean usage,
        Optional<String> session, OptionalInt watch) {
    private static final List<String> NUMBERS = List.of("temperature", "top_p", "top_k", "repetition_penalty",
            "sequence_penalty", "seed");
    private static final int MOST_STOPS = 4;

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
            throw ApiException.invalid("", "the body must be a JSON object, got " + Fields.kind(body));
        }
        ServedFields.check(body, chat);
        JsonNode own = body.path("bitttt");
        Optional<String> session = session(own.path("session"));
        String prompt = chat ? "" : prompt(body.path("prompt"));
        List<ChatMessage> messages = chat ? Messages.of(body.path("messages")) : List.of();
        boolean stream = Fields.flag(body, "stream");
        OptionalInt watch = Fields.absent(own.path("watch"))
                ? OptionalInt.empty()
                : OptionalInt.of(Fields.whole(own, "watch", 0, 0, Integer.MAX_VALUE));
        if (watch.isPresent() && !stream) {
            throw ApiException.invalid("bitttt.watch",
                    "a memory can be watched in a stream only; add \"stream\": true");
        }
        GenerationOptions options = options(body, defaults.withEcho(watch.isPresent()), maxTokens)
                .withStop(stops(body.path("stop")).toArray(String[]::new));
        return new CompletionRequest(Fields.text(body, "model"), prompt, messages, options, stream,
                Fields.flag(body.path("stream_options"), "include_usage"), session, watch);
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
                throw ApiException.invalid(name, name + " must be a number, got " + Fields.shown(value));
            }
            try {
                options = options.with(name, value.numberValue());
            } catch (IllegalArgumentException e) {
                throw ApiException.invalid(name, Fields.shown(e.getMessage()));
            }
        }
        return options;
    }

    private static int tokens(JsonNode body, int most, int otherwise) throws ApiException {
        String name = body.hasNonNull("max_completion_tokens") ? "max_completion_tokens" : "max_tokens";
        return Fields.whole(body, name, Math.min(otherwise, most), 0, most);
    }

    private static String prompt(JsonNode prompt) throws ApiException {
        JsonNode text = prompt.isArray() && prompt.size() == 1 ? prompt.get(0) : prompt;
        if (!text.isTextual()) {
            throw ApiException.invalid("prompt",
                    "prompt must be a string, or an array of one, got " + Fields.kind(prompt));
        }
        return text.textValue();
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
                    "stop must be a string or an array of 1 to " + MOST_STOPS + ", none empty, got "
                            + Fields.shown(stop));
        }
        return List.copyOf(stops);
    }

    private static Optional<String> session(JsonNode name) throws ApiException {
        if (name.isMissingNode() || name.isNull()) {
            return Optional.empty();
        }
        if (!name.isTextual() || !name.textValue().matches("[A-Za-z0-9_-]{1,64}")) {
            throw ApiException.invalid("bitttt.session",
                    "bitttt.session must be 1 to 64 letters, digits, - or _, got " + Fields.shown(name));
        }
        return Optional.of(name.textValue());
    }
}
