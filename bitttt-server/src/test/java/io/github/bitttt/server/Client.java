package io.github.bitttt.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;

/** What the tests say to a server. */
final class Client {
    static final ObjectMapper JSON = new ObjectMapper();
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI root;

    Client(ChatServer server) {
        this(server.address());
    }

    Client(URI root) {
        this.root = root;
    }

    record Answer(int status, JsonNode json, HttpResponse<String> response) {
        String message() {
            return json.at("/error/message").asText();
        }
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(root.resolve(path)).timeout(Duration.ofSeconds(60));
    }

    Answer send(HttpRequest request) throws IOException, InterruptedException {
        HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString());
        return new Answer(response.statusCode(), JSON.readTree(response.body()), response);
    }

    Answer get(String path) throws IOException, InterruptedException {
        return send(request(path).GET().build());
    }

    Answer post(String path, String body) throws IOException, InterruptedException {
        return send(json(path, body));
    }

    HttpRequest json(String path, String body) {
        return request(path).header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body)).build();
    }

    /** The events of a stream; the last line must be [DONE]. */
    List<JsonNode> stream(String path, String body) throws IOException, InterruptedException {
        HttpResponse<String> response = http.send(json(path, body), HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new AssertionError(response.statusCode() + ": " + response.body());
        }
        List<String> lines = response.body().lines().filter(line -> !line.isEmpty()).toList();
        if (!lines.getLast().equals("data: [DONE]")) {
            throw new AssertionError("the stream ends with " + lines.getLast());
        }
        return lines.stream().limit(lines.size() - 1L).map(line -> {
            try {
                return JSON.readTree(line.substring("data: ".length()));
            } catch (IOException e) {
                throw new AssertionError(line, e);
            }
        }).toList();
    }

    static String text(List<JsonNode> events) {
        return events.stream().map(event -> event.at("/choices/0/text").asText()).collect(Collectors.joining());
    }

    /** A request to go on with a prompt. */
    static ObjectNode prompt(String prompt, int tokens, long seed) {
        return JSON.createObjectNode().put("model", "stories").put("prompt", prompt).put("max_tokens", tokens)
                .put("temperature", 0.8).put("seed", seed);
    }

    /** Sends a request and leaves its answer unread. */
    Socket unread(String body) throws IOException {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4096);
        socket.connect(new InetSocketAddress(InetAddress.getByName(root.getHost()), root.getPort()));
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        socket.getOutputStream()
                .write(("POST /v1/completions HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
                        + "Content-Length: " + bytes.length + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        socket.getOutputStream().write(bytes);
        socket.getOutputStream().flush();
        return socket;
    }

    /** Waits until so many answers are being written. */
    void awaitStreams(int number) throws IOException, InterruptedException {
        for (int attempt = 0; attempt < 200; attempt++) {
            if (get("/health").json().get("streams").intValue() == number) {
                return;
            }
            Thread.sleep(50);
        }
        throw new AssertionError("not " + number + " streams after 10 s: " + get("/health").json());
    }
}
