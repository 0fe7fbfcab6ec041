package io.github.bitttt.llama.hub;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.text.Excerpt;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;

/** JSON of a server, or of files that came from one: nobody vouches for it. */
final class HubJson {
    /** Far above every list of a model's files and every index of its tensors. */
    static final int MAX_BYTES = 16 << 20;
    /** The file that says in which files tensors stand. */
    static final String INDEX = "model.safetensors.index.json";
    private static final int MAX_SHOWN = 100;
    private static final ObjectMapper MAPPER = new ObjectMapper(JsonFactory.builder().streamReadConstraints(
            StreamReadConstraints.builder().maxNestingDepth(32).maxStringLength(1 << 20).maxNameLength(1 << 10)
                    .maxNumberLength(100).build())
            .build());

    private HubJson() {
    }

    /** An object, or a complaint that begins with where it is from. */
    static JsonNode object(byte[] bytes, String from) throws IOException {
        if (bytes.length > MAX_BYTES) {
            throw new IOException(from + ": must have at most " + MAX_BYTES + " bytes of JSON, got more");
        }
        try {
            JsonNode root = MAPPER.readTree(bytes);
            if (root.isObject()) {
                return root;
            }
            throw new IOException(from + ": must be a JSON object, got " + root.getNodeType());
        } catch (JsonProcessingException e) {
            throw new IOException(from + ": is not valid JSON: " + shown(e.getOriginalMessage()), e);
        }
    }

    /** The files that an index of tensors names. */
    static Set<String> shards(Path index) throws IOException {
        try (InputStream in = Files.newInputStream(index)) {
            Set<String> shards = new TreeSet<>();
            for (JsonNode place : object(in.readNBytes(MAX_BYTES + 1), index.toString()).path("weight_map")) {
                if (!place.isTextual() || place.asText().contains("/") || !HubName.isSafe(place.asText())) {
                    throw new IOException(index + ": weight_map must name files beside the index, got "
                            + shown(place));
                }
                shards.add(place.asText());
            }
            return shards;
        }
    }

    static String shown(Object value) {
        return Excerpt.of(value, MAX_SHOWN);
    }
}
