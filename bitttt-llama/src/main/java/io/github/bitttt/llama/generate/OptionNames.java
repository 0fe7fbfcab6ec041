package io.github.bitttt.llama.generate;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.io.CheckpointException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The one place that knows generation options by name, and what their values may be. */
final class OptionNames {
    static final String TEMPERATURE = "temperature";
    static final String TOP_K = "top_k";
    static final String TOP_P = "top_p";
    static final String REPETITION_PENALTY = "repetition_penalty";
    static final String SEQUENCE_PENALTY = "sequence_penalty";
    static final String SEED = "seed";
    static final String MAX_NEW_TOKENS = "max_new_tokens";
    static final String STOP = "stop";
    static final String END_TOKENS = "eos_token_id";
    static final String ECHO = "echo";
    static final List<String> ALL = List.of(TEMPERATURE, TOP_K, TOP_P, REPETITION_PENALTY, SEQUENCE_PENALTY, SEED,
            MAX_NEW_TOKENS, STOP, END_TOKENS, ECHO);

    private static final ObjectMapper JSON = new ObjectMapper().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final int MAX_SHOWN = 100;
    private static final BigDecimal LEAST_LONG = BigDecimal.valueOf(Long.MIN_VALUE);
    private static final BigDecimal LARGEST_LONG = BigDecimal.valueOf(Long.MAX_VALUE);
    private static final int LONG_DIGITS = 19;
    // What Hugging Face takes for what such a file leaves out; the length and the seed are ours.
    private static final GenerationOptions OF_A_FILE = new GenerationOptions(new SamplerOptions(1, 50, 1, 1, 0, 1),
            GenerationOptions.DEFAULTS.maxNewTokens(), List.of(), List.of(), false);

    private OptionNames() {
    }

    /** The options of a generation_config.json: names that we do not know are left alone, null is nothing.
     *
     * @param json of the file
     * @param file for messages
     * @throws CheckpointException if it says something wrong */
    static GenerationOptions ofFile(String json, Path file) throws CheckpointException {
        try {
            Map<String, Object> values = object(json);
            boolean greedy = Boolean.FALSE.equals(values.get("do_sample"));
            values.entrySet().removeIf(entry -> !ALL.contains(entry.getKey()) || entry.getValue() == null);
            GenerationOptions options = OF_A_FILE.with(values);
            return greedy ? options.withTemperature(0) : options;
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(file, e.getMessage(), e);
        }
    }

    static GenerationOptions replaceAll(GenerationOptions options, String json) {
        return options.with(object(json));
    }

    static String json(GenerationOptions options) {
        SamplerOptions sampling = options.sampling();
        ObjectNode json = JSON.createObjectNode().put(TEMPERATURE, sampling.temperature()).put(TOP_K, sampling.topK())
                .put(TOP_P, sampling.topP()).put(REPETITION_PENALTY, sampling.repetitionPenalty())
                .put(SEQUENCE_PENALTY, sampling.sequencePenalty()).put(SEED, sampling.seed())
                .put(MAX_NEW_TOKENS, options.maxNewTokens());
        json.set(STOP, JSON.valueToTree(options.stop()));
        json.set(END_TOKENS, JSON.valueToTree(options.endTokens()));
        return json.put(ECHO, options.echo()).toString();
    }

    private static Map<String, Object> object(String json) {
        JsonNode root;
        try {
            root = JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("options must be a JSON object: " + cut(e.getOriginalMessage()), e);
        }
        if (!root.isObject()) {
            throw new IllegalArgumentException(
                    "options must be a JSON object, got " + root.getNodeType().name().toLowerCase(Locale.ROOT));
        }
        return JSON.convertValue(root, new TypeReference<LinkedHashMap<String, Object>>() {
        });
    }

    static GenerationOptions replace(GenerationOptions options, String name, Object value) {
        SamplerOptions s = options.sampling();
        return switch (name) {
            case TEMPERATURE -> options.withSampling(new SamplerOptions(number(name, value), s.topK(), s.topP(),
                    s.repetitionPenalty(), s.sequencePenalty(), s.seed()));
            case TOP_K -> options.withSampling(new SamplerOptions(s.temperature(), whole(name, value), s.topP(),
                    s.repetitionPenalty(), s.sequencePenalty(), s.seed()));
            case TOP_P -> options.withSampling(new SamplerOptions(s.temperature(), s.topK(), number(name, value),
                    s.repetitionPenalty(), s.sequencePenalty(), s.seed()));
            case REPETITION_PENALTY -> options.withSampling(new SamplerOptions(s.temperature(), s.topK(), s.topP(),
                    number(name, value), s.sequencePenalty(), s.seed()));
            case SEQUENCE_PENALTY -> options.withSampling(new SamplerOptions(s.temperature(), s.topK(), s.topP(),
                    s.repetitionPenalty(), number(name, value), s.seed()));
            case SEED -> options.withSampling(new SamplerOptions(s.temperature(), s.topK(), s.topP(),
                    s.repetitionPenalty(), s.sequencePenalty(), wholeLong(name, value)));
            case MAX_NEW_TOKENS -> new GenerationOptions(s, whole(name, value), options.stop(), options.endTokens(),
                    options.echo());
            case STOP -> options.withStop(texts(name, value));
            case END_TOKENS -> new GenerationOptions(s, options.maxNewTokens(), options.stop(), ids(name, value),
                    options.echo());
            case ECHO -> options.withEcho(flag(name, value));
            default -> throw new IllegalArgumentException("there is no option " + shown(name) + "; there are "
                    + String.join(", ", ALL));
        };
    }

    private static double number(String name, Object value) {
        if (value instanceof Number number) {
            return number.doubleValue();
        }
        try {
            return Double.parseDouble(String.valueOf(value));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " must be a number, got " + shown(value), e);
        }
    }

    private static int whole(String name, Object value) {
        long whole = wholeLong(name, value);
        if (whole != (int) whole) {
            throw new IllegalArgumentException(name + " must be a whole number of 32 bits, got " + shown(value));
        }
        return (int) whole;
    }

    private static long wholeLong(String name, Object value) {
        try {
            BigDecimal exact = new BigDecimal(String.valueOf(value));
            // The length first: the digits of 1e999999999 would fill the memory.
            if (exact.precision() - exact.scale() <= LONG_DIGITS && exact.stripTrailingZeros().scale() <= 0
                    && exact.compareTo(LEAST_LONG) >= 0 && exact.compareTo(LARGEST_LONG) <= 0) {
                return exact.longValueExact();
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(name + " must be a whole number, got " + shown(value), e);
        }
        throw new IllegalArgumentException(name + " must be a whole number of 64 bits, got " + shown(value));
    }

    private static boolean flag(String name, Object value) {
        return switch (String.valueOf(value)) {
            case "true" -> true;
            case "false" -> false;
            default -> throw new IllegalArgumentException(name + " must be true or false, got " + shown(value));
        };
    }

    private static String[] texts(String name, Object value) {
        List<String> texts = new ArrayList<>();
        for (Object one : value instanceof Collection<?> all ? all : Collections.singletonList(value)) {
            if (!(one instanceof String text)) {
                throw new IllegalArgumentException(name + " must be a text or a list of texts, got " + shown(value));
            }
            texts.add(text);
        }
        return texts.toArray(String[]::new);
    }

    private static List<Integer> ids(String name, Object value) {
        Collection<?> all = value instanceof Collection<?> several ? several : Collections.singletonList(value);
        return all.stream().map(one -> whole(name, one)).toList();
    }

    private static String shown(Object value) {
        String text = value instanceof String ? "\"" + value + "\"" : String.valueOf(value);
        return cut(text);
    }

    private static String cut(String text) {
        return text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "...";
    }
}
