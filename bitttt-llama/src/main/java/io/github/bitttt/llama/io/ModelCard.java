package io.github.bitttt.llama.io;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What a model's files are, before they become a checkpoint.
 *
 * @param format  a {@link ModelFormat#name}
 * @param family  {@code model_type} or {@code general.architecture}
 * @param packing what the config says of how its weights were made ternary; empty if it says nothing
 * @param tensors how many there are of each type
 */
public record ModelCard(String format, String family, String packing, Map<String, Long> tensors) {
    /** Makes the map unmodifiable. */
    public ModelCard {
        tensors = Collections.unmodifiableMap(new TreeMap<>(tensors));
    }

    static ModelCard ofConfig(String format, JsonNode config, TensorSource source) {
        return new ModelCard(format, config.path("model_type").asText(format), packing(config),
                counted(source.tensors().values(), tensor -> tensor.type().toString()));
    }

    static <T> Map<String, Long> counted(Collection<T> tensors, Function<T, String> type) {
        return tensors.stream().collect(Collectors.groupingBy(type, Collectors.counting()));
    }

    private static String packing(JsonNode config) {
        List<String> words = new ArrayList<>();
        for (String key : List.of("quant_method", "linear_class", "quantization_mode")) {
            JsonNode value = config.path("quantization_config").path(key);
            if (value.isTextual()) {
                words.add(StrictJson.shown(value.asText()));
            }
        }
        JsonNode mlx = config.path("quantization");
        if (mlx.path("bits").isInt()) {
            words.add("MLX " + mlx.path("bits") + "-bit in groups of " + mlx.path("group_size").asText("?"));
        }
        return String.join(", ", words);
    }
}
