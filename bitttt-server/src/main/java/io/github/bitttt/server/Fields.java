package io.github.bitttt.server;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;

/** Typed reads of the fields of a JSON object; what is wrong is refused by name, and shown by its beginning. */
final class Fields {
    /** What a message shows of a client's words. */
    private static final int SHOWN = 100;

    private Fields() {
    }

    /** The beginning of a value, for messages; never half of a character. */
    static String shown(Object value) {
        String text = String.valueOf(value);
        if (text.length() <= SHOWN) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(SHOWN - 1)) ? SHOWN - 1 : SHOWN;
        return text.substring(0, end) + "...";
    }

    /** What sort of JSON a value is, for messages. */
    static String kind(JsonNode node) {
        return node.isMissingNode() ? "nothing" : node.getNodeType().name().toLowerCase(Locale.ROOT);
    }

    /** Whether a value says nothing: absent or null. */
    static boolean absent(JsonNode value) {
        return value.isMissingNode() || value.isNull();
    }

    /** An object within the body, or nothing, with no other fields than these. */
    static JsonNode object(JsonNode body, String field, Set<String> known) throws ApiException {
        JsonNode value = body.path(field);
        if (!absent(value) && !value.isObject()) {
            throw ApiException.invalid(field, field + " must be an object, got " + shown(value));
        }
        for (String name : (Iterable<String>) value::fieldNames) {
            if (!known.contains(name) && !value.get(name).isNull()) {
                throw ApiException.invalid(field + "." + shown(name), field + "." + shown(name)
                        + " is not served; " + field + " may have " + String.join(", ", new TreeSet<>(known)));
            }
        }
        return value;
    }

    static String text(JsonNode body, String field) throws ApiException {
        JsonNode value = body.path(field);
        if (!value.isTextual()) {
            throw ApiException.invalid(field, field + " must be a string, got " + kind(value));
        }
        return value.textValue();
    }

    static boolean flag(JsonNode body, String field) throws ApiException {
        JsonNode value = body.path(field);
        if (!absent(value) && !value.isBoolean()) {
            throw ApiException.invalid(field, field + " must be true or false, got " + shown(value));
        }
        return value.asBoolean(false);
    }

    static int whole(JsonNode body, String field, int otherwise, int from, int to) throws ApiException {
        double value = number(body, field, otherwise, from, to);
        if (value != Math.rint(value)) {
            throw ApiException.invalid(field, field + " must be a whole number, got " + shown(body.get(field)));
        }
        return (int) value;
    }

    static double number(JsonNode body, String field, double otherwise, double from, double to) throws ApiException {
        JsonNode value = body.path(field);
        if (absent(value)) {
            return otherwise;
        }
        if (!value.isNumber() || !(value.doubleValue() >= from && value.doubleValue() <= to)) {
            throw ApiException.invalid(field,
                    String.format(Locale.ROOT, "%s must be a number from %.0f to %.0f, got %s", field, from, to,
                            shown(value)));
        }
        return value.doubleValue();
    }
}
