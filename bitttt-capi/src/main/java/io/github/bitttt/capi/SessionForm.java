package io.github.bitttt.capi;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.text.Excerpt;
import java.util.Map;

/** What a session is opened with: the JSON object of {@code bitttt_session_open}. */
final class SessionForm {
    private static final int MAX_SHOWN = 100;
    private static final ObjectMapper JSON = new ObjectMapper().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private SessionForm() {
    }

    /** Opens a session.
     *
     * @param model   that reads
     * @param options a JSON object; what it does not name is as the model's
     * @throws IllegalArgumentException if it says something else than bitttt.h */
    static Session open(Model model, String options) {
        Model formed = model;
        for (Map.Entry<String, JsonNode> option : object(options).properties()) {
            JsonNode value = option.getValue();
            formed = switch (option.getKey()) {
                case "output_memory" -> value.isNull() ? formed : formed.withOutputMemory(memory(value));
                case "window" -> value.isNull() ? formed : formed.withWindow(window(value));
                default -> throw new IllegalArgumentException("a session has the options output_memory and window, got "
                        + Excerpt.of(option.getKey(), MAX_SHOWN));
            };
        }
        return formed.newSession();
    }

    private static ObjectNode object(String options) {
        try {
            if (JSON.readTree(options) instanceof ObjectNode object) {
                return object;
            }
            throw new IllegalArgumentException(
                    "session options must be a JSON object, got " + Excerpt.of(options, MAX_SHOWN));
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    "session options are not valid JSON: " + Excerpt.of(e.getOriginalMessage(), MAX_SHOWN), e);
        }
    }

    private static OutputMemory memory(JsonNode value) {
        if (!value.isTextual()) {
            throw new IllegalArgumentException(
                    "output_memory must be a name, got " + Excerpt.of(value, MAX_SHOWN));
        }
        return OutputMemory.named(value.textValue());
    }

    private static int window(JsonNode value) {
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw new IllegalArgumentException("window must be a whole number of tokens, got "
                    + Excerpt.of(value, MAX_SHOWN));
        }
        return value.intValue();
    }
}
