package io.github.bitttt.llama.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.text.Excerpt;
import io.github.bitttt.llama.text.TextFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * JSON of files that nobody vouches for: limits on depth, words, names and numbers, no name twice, nothing behind its end.
 */
final class StrictJson {
    /** Most bytes of a JSON file: far above every config. */
    static final int MAX_FILE_BYTES = 1 << 20;
    /** A header of {@link Safetensors#MAX_TENSORS} tensors has 16 words for each. */
    private static final int MAX_WORDS = 170_000;
    private static final int MAX_SHOWN = 100;

    private static final ObjectMapper MAPPER = new ObjectMapper(JsonFactory.builder().streamReadConstraints(
            StreamReadConstraints.builder().maxNestingDepth(16).maxStringLength(1 << 20).maxNameLength(1 << 10)
                    .maxNumberLength(100).maxTokenCount(MAX_WORDS).build())
            .build()).enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private StrictJson() {
    }

    static ObjectNode newObject() {
        return MAPPER.createObjectNode();
    }

    /** Reads an object.
     *
     * @param text  JSON
     * @param file  where it stands, for messages
     * @param where what it is, such as "the header "; empty for the whole file */
    static ObjectNode object(String text, Path file, String where) throws CheckpointException {
        try {
            JsonNode root = MAPPER.readTree(text);
            if (root instanceof ObjectNode object) {
                return object;
            }
            throw new CheckpointException(file, where + "must be a JSON object, got " + root.getNodeType());
        } catch (JsonProcessingException e) {
            throw new CheckpointException(file, where + "is not valid JSON: " + shown(e.getOriginalMessage()), e);
        }
    }

    /** Reads the text of a small file. */
    static String text(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_FILE_BYTES + 1);
            if (bytes.length > MAX_FILE_BYTES) {
                throw new CheckpointException(file, "must have at most " + MAX_FILE_BYTES + " bytes, got "
                        + Files.size(file));
            }
            try {
                return TextFile.decode(bytes, "");
            } catch (IOException e) {
                throw new CheckpointException(file, e.getMessage().substring(2), e);
            }
        }
    }

    /** What a message shows of a value: its beginning. */
    static String shown(Object value) {
        return Excerpt.of(value, MAX_SHOWN);
    }
}
