package io.github.bitttt.llama.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.Objective;
import io.github.bitttt.nn.Read;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * {@code config.json}, by Hugging Face's conventions. Absent keys take their defaults, unknown ones are kept and ignored.
 */
final class ConfigJson {
    static final String FILE = "config.json";

    private final Path file;
    private final JsonNode root;

    private ConfigJson(Path file, JsonNode root) {
        this.file = file;
        this.root = root;
    }

    static BitLlamaConfig parse(String text, Path file) throws CheckpointException {
        ConfigJson json = new ConfigJson(file, StrictJson.object(text, file, ""));
        try {
            return json.config();
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(file, e.getMessage(), e);
        }
    }

    private BitLlamaConfig config() throws CheckpointException {
        String type = text(root, "model_type", "bitllama", List.of("bitllama"));
        assert type.equals("bitllama");
        int width = integer(root, "hidden_size", null);
        JsonNode ttt = group("ttt");
        JsonNode quantization = group("quantization_config");
        String scale = text(quantization, "weight_scale", "absmean", List.of("absmean", "none"));
        return new BitLlamaConfig(integer(root, "vocab_size", null), width, integer(root, "num_hidden_layers", null),
                integer(root, "intermediate_size", null), number(root, "rms_norm_eps", 1e-5),
                new BitLlamaConfig.Ttt(integer(ttt, "memory_size", Math.max(1, width / 4)),
                        integer(ttt, "num_heads", 1),
                        constant(Objective.class, text(ttt, "objective", "predict_next", names(Objective.values()))),
                        innerRate(ttt), text(ttt, "decay", "none", List.of("none", "learned")).equals("learned"),
                        flag(ttt, "token_shift", true),
                        constant(Read.class, text(ttt, "read", "after", names(Read.values())))),
                new Quantization(scale.equals("absmean"), roundActivations(quantization)), false,
                root.has("attention") ? integer(group("attention"), "num_heads", 1) : 0);
    }

    /** A group of keys: an object, or absent. */
    private JsonNode group(String key) throws CheckpointException {
        JsonNode value = root.path(key);
        if (!value.isMissingNode() && !value.isObject()) {
            throw new CheckpointException(file, key + " must be a JSON object, got " + StrictJson.shown(value));
        }
        return value;
    }

    private static List<String> names(Enum<?>[] values) {
        return Arrays.stream(values).map(value -> value.name().toLowerCase(Locale.ROOT)).toList();
    }

    private static <E extends Enum<E>> E constant(Class<E> type, String name) {
        return Enum.valueOf(type, name.toUpperCase(Locale.ROOT));
    }

    private int integer(JsonNode node, String key, Integer absent) throws CheckpointException {
        JsonNode value = node.path(key);
        if (value.isMissingNode() && absent != null) {
            return absent;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw new CheckpointException(file, key + " must be a whole number below 2^31, got " + shown(value));
        }
        return value.intValue();
    }

    private double number(JsonNode node, String key, double absent) throws CheckpointException {
        JsonNode value = node.path(key);
        if (value.isMissingNode()) {
            return absent;
        }
        if (!value.isNumber()) {
            throw new CheckpointException(file, key + " must be a number, got " + shown(value));
        }
        return value.doubleValue();
    }

    private boolean flag(JsonNode node, String key, boolean absent) throws CheckpointException {
        JsonNode value = node.path(key);
        if (!value.isMissingNode() && !value.isBoolean()) {
            throw new CheckpointException(file, key + " must be true or false, got " + shown(value));
        }
        return value.asBoolean(absent);
    }

    private String text(JsonNode node, String key, String absent, List<String> allowed) throws CheckpointException {
        JsonNode value = node.path(key);
        String text = value.isMissingNode() ? absent : value.asText();
        if (!allowed.contains(text)) {
            throw new CheckpointException(file, key + " must be one of " + allowed + ", got " + shown(value));
        }
        return text;
    }

    private static String shown(JsonNode value) {
        return value.isMissingNode() ? "nothing" : StrictJson.shown(value);
    }

    private OptionalDouble innerRate(JsonNode ttt) throws CheckpointException {
        JsonNode value = ttt.path("inner_rate");
        if (value.isMissingNode() || value.asText().equals("learned")) {
            return OptionalDouble.empty();
        }
        return OptionalDouble.of(number(ttt, "inner_rate", 0));
    }

    private boolean roundActivations(JsonNode quantization) throws CheckpointException {
        JsonNode value = quantization.path("activation_bits");
        if (value.isNull()) {
            return false;
        }
        int bits = integer(quantization, "activation_bits", 8);
        if (bits != 8) {
            throw new CheckpointException(file, "activation_bits must be 8 or null, got " + bits);
        }
        return true;
    }

    /** The file's text: what the config says, and unknown keys of the file it came from. */
    static String write(BitLlamaConfig config, String kept, Path file) throws CheckpointException {
        ObjectNode root = StrictJson.object(kept, file, "");
        root.putArray("architectures").add("BitLlamaForCausalLM");
        root.put("model_type", "bitllama").put("vocab_size", config.vocabSize()).put("hidden_size", config.hiddenSize())
                .put("num_hidden_layers", config.layers()).put("intermediate_size", config.intermediateSize())
                .put("rms_norm_eps", config.rmsNormEps());
        BitLlamaConfig.Ttt form = config.ttt();
        ObjectNode ttt = root.withObject("/ttt").put("memory_size", form.memorySize()).put("num_heads", form.heads())
                .put("objective", form.objective().name().toLowerCase(Locale.ROOT))
                .put("token_shift", form.tokenShift()).put("read", form.read().name().toLowerCase(Locale.ROOT));
        if (form.decay()) {
            ttt.put("decay", "learned");
        }
        form.innerRate().ifPresentOrElse(rate -> ttt.put("inner_rate", rate), () -> ttt.put("inner_rate", "learned"));
        if (config.attentionHeads() > 0) {
            root.withObject("/attention").put("num_heads", config.attentionHeads());
        }
        ObjectNode quantization = root.withObject("/quantization_config").put("quant_method", "bitnet")
                .put("weight_scale", config.quantization().scaleWeights() ? "absmean" : "none");
        if (config.quantization().roundActivations()) {
            quantization.put("activation_bits", 8);
        } else {
            quantization.putNull("activation_bits");
        }
        return root.toPrettyString() + "\n";
    }
}
