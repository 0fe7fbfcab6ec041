package io.github.bitttt.llama.io;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;

/**
 * Keys of a JSON object of other people's, where null is as good as absent.
 *
 * @param file for messages
 * @param node the object
 */
record JsonKeys(Path file, JsonNode node) {
    int integer(String key, Integer absent) throws CheckpointException {
        JsonNode value = node.path(key);
        if (isAbsent(value) && absent != null) {
            return absent;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw new CheckpointException(file, key + " must be a whole number below 2^31, got "
                    + (value.isMissingNode() ? "nothing" : StrictJson.shown(value)));
        }
        return value.intValue();
    }

    double number(String key, double absent) throws CheckpointException {
        JsonNode value = node.path(key);
        if (isAbsent(value)) {
            return absent;
        }
        if (!value.isNumber()) {
            throw new CheckpointException(file, key + " must be a number, got " + StrictJson.shown(value));
        }
        return value.doubleValue();
    }

    boolean flag(String key, boolean absent) throws CheckpointException {
        JsonNode value = node.path(key);
        if (!isAbsent(value) && !value.isBoolean()) {
            throw new CheckpointException(file, key + " must be true or false, got " + StrictJson.shown(value));
        }
        return value.asBoolean(absent);
    }

    static boolean isAbsent(JsonNode value) {
        return value.isMissingNode() || value.isNull();
    }
}
