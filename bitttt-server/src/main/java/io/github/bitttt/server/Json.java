package io.github.bitttt.server;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/** JSON bodies over HTTP. */
final class Json {
    /** The server bounds the body, so a text may be as long as that; of a name that stands twice one value would be ignored. */
    private static final ObjectMapper MAPPER = new ObjectMapper(JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build()).build())
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private Json() {
    }

    /** Reads a request's body.
     *
     * @param most bytes
     * @throws ApiException if it is too long, compressed, not UTF-8 or not JSON */
    static JsonNode read(HttpExchange exchange, int most) throws ApiException, IOException {
        checkHeaders(exchange.getRequestHeaders());
        String announced = exchange.getRequestHeaders().getFirst("Content-Length");
        if (announced != null && Long.parseLong(announced) > most) {
            throw tooLong(most, announced);
        }
        // An array has at most about Integer.MAX_VALUE bytes; a body of more is none that most allows.
        byte[] body = exchange.getRequestBody().readNBytes((int) Math.min(most + 1L, Integer.MAX_VALUE - 8));
        if (body.length > most) {
            throw tooLong(most, "more");
        }
        try {
            return MAPPER.readTree(text(body));
        } catch (JsonProcessingException e) {
            throw ApiException.invalid("", "the body is not JSON: " + Fields.shown(e.getOriginalMessage()));
        }
    }

    private static void checkHeaders(Headers headers) throws ApiException {
        String type = headers.getFirst("Content-Type");
        String[] parts = type == null ? new String[]{""} : type.toLowerCase(Locale.ROOT).split(";");
        // A page of another site can send other types without being asked, and so drive a server on this machine.
        if (!parts[0].strip().equals("application/json")) {
            throw ApiException.refused(415, "unsupported_media_type",
                    "Content-Type must be application/json, got " + (type == null ? "none" : Fields.shown(type)));
        }
        for (int i = 1; i < parts.length; i++) {
            String part = parts[i].replace("\"", "").replace(" ", "");
            if (part.startsWith("charset=") && !part.equals("charset=utf-8") && !part.equals("charset=utf8")) {
                throw ApiException.refused(415, "unsupported_media_type",
                        "a body must be UTF-8, got " + Fields.shown(part));
            }
        }
        List<String> encodings = headers.getOrDefault("Content-Encoding", List.of());
        if (!encodings.stream().allMatch(one -> one.strip().equalsIgnoreCase("identity"))) {
            throw ApiException.refused(415, "unsupported_media_type",
                    "a body must not be compressed: leave Content-Encoding out, got "
                            + Fields.shown(String.join(", ", encodings)));
        }
    }

    /** The body's text, without the mark of byte order that some editors write before it. */
    private static String text(byte[] body) throws ApiException {
        ByteBuffer bytes = ByteBuffer.wrap(body);
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
            return text.startsWith("\uFEFF") ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw ApiException.invalid("", "the body must be UTF-8 text, got other bytes at byte " + bytes.position());
        }
    }

    private static ApiException tooLong(int most, String got) {
        return ApiException.refused(413, "request_too_large",
                "a body has at most " + most + " bytes, got " + Fields.shown(got));
    }

    /** Sends a whole response. */
    static void send(HttpExchange exchange, int status, JsonNode body) throws IOException {
        send(exchange, status, "application/json", (body.toString() + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** Sends a whole response of any type; to HEAD its headers only. */
    static void send(HttpExchange exchange, int status, String type, byte[] body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.getResponseHeaders().set("Content-Length", String.valueOf(body.length));
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }
}
