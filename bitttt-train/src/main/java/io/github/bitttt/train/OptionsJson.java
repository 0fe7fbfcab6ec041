package io.github.bitttt.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** Training options as a run keeps them: one flat JSON object, whatever records they stand in. */
final class OptionsJson {
    private static final ObjectMapper JSON = new ObjectMapper()
            .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);

    private OptionsJson() {
    }

    static String write(TrainingOptions options) {
        try {
            return JSON.writeValueAsString(flat(options));
        } catch (JsonProcessingException e) {
            throw new AssertionError("numbers and a text can be written", e);
        }
    }

    private static ObjectNode flat(TrainingOptions options) {
        ObjectNode flat = JSON.createObjectNode().put("tokens", options.tokens()).put("seed", options.seed());
        for (Record part : new Record[]{options.windows(), options.descent(), options.run()}) {
            flat.setAll((ObjectNode) JSON.valueToTree(part));
        }
        return flat;
    }

    /** @throws IllegalArgumentException if a value is out of its range or of another kind */
    static TrainingOptions read(String json) throws JsonProcessingException {
        JsonNode written = JSON.readTree(json);
        if (!written.isObject()) {
            throw new IllegalArgumentException("options must be a JSON object, got " + written.getNodeType());
        }
        ObjectNode values = flat(TrainingOptions.of(1));
        // Runs that are older than an option go on as they began, without it.
        values.put("validationTokens", RunOptions.ALL);
        if (written.hasNonNull("batch") && !written.has("microBatch")) {
            values.set("microBatch", written.get("batch"));
        }
        if (written.hasNonNull("seed") && !written.has("orderSeed")) {
            values.set("orderSeed", written.get("seed"));
        }
        written.properties().forEach(entry -> values.set(entry.getKey(), entry.getValue()));
        try {
            return new TrainingOptions(JSON.treeToValue(values.get("tokens"), long.class),
                    JSON.treeToValue(values.get("seed"), long.class), JSON.treeToValue(values, WindowOptions.class),
                    JSON.treeToValue(values, DescentOptions.class), JSON.treeToValue(values, RunOptions.class));
        } catch (JsonProcessingException e) {
            if (e.getCause() instanceof IllegalArgumentException refused) {
                throw refused; // A record's check tells it best.
            }
            throw e;
        }
    }
}
