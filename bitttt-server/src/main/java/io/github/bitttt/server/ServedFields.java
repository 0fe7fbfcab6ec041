package io.github.bitttt.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which fields a request may have. One that would change the answer and is not served is refused by name: a client that asks for
 * log probabilities and gets none would take the model for a bad one. Its neutral values pass, for clients send them.
 */
final class ServedFields {
    /** Read by {@link CompletionRequest}. */
    private static final Set<String> SERVED = Set.of("model", "temperature", "top_p", "top_k",
            "repetition_penalty", "sequence_penalty", "seed", "stop", "stream", "stream_options", "max_tokens",
            "bitttt");
    private static final Set<String> SERVED_CHAT = Set.of("messages", "max_completion_tokens");
    /** They change no word of an answer: marks for the operator of a server, and hints that make others faster. */
    private static final Set<String> IDLE = Set.of("user", "metadata", "store", "service_tier", "safety_identifier",
            "prompt_cache_key", "prompt_cache_retention", "parallel_tool_calls", "prediction");
    /** Field, then the values that ask for nothing. Null always does. */
    private static final Map<String, List<JsonNode>> NEUTRAL = neutral("""
            n 1
            best_of 1
            echo false
            logprobs false
            top_logprobs 0
            suffix ""
            logit_bias {}
            presence_penalty 0
            frequency_penalty 0
            response_format {"type":"text"}
            tools []
            tool_choice "none" "auto"
            functions []
            function_call "none" "auto"
            modalities ["text"]
            reasoning_effort "none"
            verbosity "medium"
            min_p 0
            typical_p 1
            repeat_penalty 1
            length_penalty 1
            min_tokens 0
            ignore_eos false
            stop_token_ids []
            use_beam_search false
            skip_special_tokens true
            add_generation_prompt true
            """);

    private ServedFields() {
    }

    private static Map<String, List<JsonNode>> neutral(String table) {
        ObjectMapper mapper = new ObjectMapper();
        Map<String, List<JsonNode>> all = new HashMap<>();
        for (String line : table.lines().toList()) {
            String[] words = line.split(" ");
            List<JsonNode> values = new ArrayList<>();
            for (String value : Arrays.asList(words).subList(1, words.length)) {
                try {
                    values.add(mapper.readTree(value));
                } catch (JsonProcessingException e) {
                    throw new IllegalStateException(line, e);
                }
            }
            all.put(words[0], values);
        }
        return all;
    }

    /** Refuses what would change the answer and is not served.
     *
     * @param body of the request
     * @param chat messages instead of a prompt
     * @throws ApiException that names the first such field */
    static void check(JsonNode body, boolean chat) throws ApiException {
        for (Map.Entry<String, JsonNode> field : body.properties()) {
            String name = field.getKey();
            boolean served = SERVED.contains(name) || IDLE.contains(name)
                    || (chat ? SERVED_CHAT.contains(name) : name.equals("prompt"));
            if (!served && !field.getValue().isNull()) {
                unserved(name, field.getValue());
            }
        }
        Fields.object(body, "stream_options", Set.of("include_usage", "include_obfuscation"));
        Fields.object(body, "bitttt", Set.of("session", "watch"));
    }

    private static void unserved(String name, JsonNode value) throws ApiException {
        List<JsonNode> neutral = NEUTRAL.get(name);
        if (neutral == null) {
            throw ApiException.invalid(Fields.shown(name),
                    Fields.shown(name) + " is no field that this server knows; leave it out");
        }
        if (neutral.stream().noneMatch(one -> same(one, value))) {
            String but = neutral.getFirst().isEmpty() && neutral.getFirst().isContainerNode()
                    ? "leave it out"
                    : "leave it out or give " + neutral.getFirst();
            throw ApiException.invalid(name, name + " is not served; " + but + ", got " + Fields.shown(value));
        }
    }

    private static boolean same(JsonNode one, JsonNode other) {
        return one.isNumber() && other.isNumber() ? one.doubleValue() == other.doubleValue() : one.equals(other);
    }
}
