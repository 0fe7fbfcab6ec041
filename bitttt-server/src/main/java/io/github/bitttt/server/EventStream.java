package io.github.bitttt.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Server-sent events as OpenAI writes them: one JSON object a line, then {@code [DONE]}. For one thread. */
final class EventStream {
    private final HttpExchange exchange;
    private OutputStream out;

    EventStream(HttpExchange exchange) {
        this.exchange = exchange;
    }

    /** Whether the status has been sent, after which an error can only be an event. */
    boolean begun() {
        return out != null;
    }

    /** Sends an event now.
     *  @throws IOException if the client is gone */
    void send(JsonNode event) throws IOException {
        line(event.toString());
    }

    /** Ends the stream. */
    void done() throws IOException {
        line("[DONE]");
    }

    private void line(String data) throws IOException {
        if (out == null) {
            exchange.getResponseHeaders().set("Content-Type", "text/event-stream; charset=utf-8");
            exchange.getResponseHeaders().set("Cache-Control", "no-cache");
            exchange.sendResponseHeaders(200, 0);
            out = exchange.getResponseBody();
        }
        out.write(("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }
}
