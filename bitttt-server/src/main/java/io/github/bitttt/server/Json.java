package io.github.bitttt.server;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** JSON bodies over HTTP. */
final class Json {
    private static final ObjectMapper MAPPER = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private Json() {
    }

    /** Reads a request's body.
     *
     * @param most bytes
     * @throws ApiException if it is too long or not JSON */
    static JsonNode read(HttpExchange exchange, int most) throws ApiException, IOException {
        String type = exchange.getRequestHeaders().getFirst("Content-Type");
        // A page of another site can send other types without being asked, and so drive a server on this machine.
        if (type == null || !type.toLowerCase(Locale.ROOT).startsWith("application/json")) {
            throw ApiException.refused(415, "unsupported_media_type",
                    "Content-Type must be application/json, got " + (type == null ? "none" : type));
        }
        String announced = exchange.getRequestHeaders().getFirst("Content-Length");
        if (announced != null && Long.parseLong(announced) > most) {
            throw tooLong(most, announced);
        }
        byte[] body = exchange.getRequestBody().readNBytes(most + 1);
        if (body.length > most) {
            throw tooLong(most, "more");
        }
        try {
            // As text: the parser's guess at an encoding would take any bytes.
            return MAPPER.readTree(new String(body, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw ApiException.invalid("", "the body is not JSON: " + e.getOriginalMessage());
        }
    }

    private static ApiException tooLong(int most, String got) {
        return ApiException.refused(413, "request_too_large", "a body has at most " + most + " bytes, got " + got);
    }

    /** Sends a whole response. */
    static void send(HttpExchange exchange, int status, JsonNode body) throws IOException {
        send(exchange, status, "application/json", (body.toString() + "\n").getBytes(StandardCharsets.UTF_8));
    }

    /** Sends a whole response of any type. */
    static void send(HttpExchange exchange, int status, String type, byte[] body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }
}
