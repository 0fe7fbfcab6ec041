package io.github.bitttt.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.IOException;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The server as its clients see it, with the embedded model. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class ChatServerTest {
    private static final InstantSource CLOCK = InstantSource.fixed(Instant.ofEpochSecond(1_700_000_000));
    private static final ServerOptions OPTIONS = ServerOptions.local(0);
    private static Model model;
    private static ChatServer server;
    private static Client client;

    @BeforeAll
    static void start() throws IOException {
        model = Model.load(Zoo.DEFAULT);
        server = start(OPTIONS);
        client = new Client(server);
    }

    private static ChatServer start(ServerOptions options) throws IOException {
        return ChatServer.start("stories", model, options, CLOCK);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    /** What the same request gives without a server. */
    private static String alone(String prompt, int tokens, long seed) {
        try (Session session = model.newSession()) {
            return session.generate(prompt, model.defaults().withSeed(seed).withMaxNewTokens(tokens)).result().text();
        }
    }

    @Test
    void goesOnWithAPrompt() throws Exception {
        JsonNode answer = client.post("/v1/completions", Client.prompt("Once upon a time", 40, 3).toString()).json();
        assertThat(answer.at("/choices/0/text").asText()).isEqualTo(alone("Once upon a time", 40, 3));
        assertThat(answer.at("/choices/0/finish_reason").asText()).isEqualTo("length");
        assertThat(answer.get("object").asText()).isEqualTo("text_completion");
        assertThat(answer.get("created").asLong()).isEqualTo(1_700_000_000);
        assertThat(answer.at("/usage/completion_tokens").intValue()).isEqualTo(40);
        int promptTokens = model.tokenizer().encode("Once upon a time").length;
        assertThat(answer.at("/usage/total_tokens").intValue()).isEqualTo(40 + promptTokens);
    }

    @Test
    void chats() throws Exception {
        String body = """
                {"model": "stories", "seed": 3, "temperature": 0.8, "max_tokens": 40, "messages": [
                {"role": "system", "content": "Once upon"},
                {"role": "user", "content": [{"type": "text", "text": "a time"}]}]}""";
        JsonNode answer = client.post("/v1/chat/completions", body).json();
        String expected = alone("Once upon\na time", 40, 3);
        assertThat(answer.at("/choices/0/message/content").asText()).isEqualTo(expected);
        assertThat(answer.at("/choices/0/message/role").asText()).isEqualTo("assistant");
        assertThat(answer.get("object").asText()).isEqualTo("chat.completion");

        List<JsonNode> events = client.stream("/v1/chat/completions", body.replace("\"seed\"",
                "\"stream\": true, \"stream_options\": {\"include_usage\": true}, \"seed\""));
        assertThat(events.getFirst().at("/choices/0/delta/role").asText()).isEqualTo("assistant");
        StringBuilder text = new StringBuilder();
        events.forEach(event -> text.append(event.at("/choices/0/delta/content").asText()));
        assertThat(text).hasToString(expected);
        assertThat(events.get(events.size() - 2).at("/choices/0/finish_reason").asText()).isEqualTo("length");
        assertThat(events.getLast().get("choices")).isEmpty();
        assertThat(events.getLast().at("/usage/completion_tokens").intValue()).isEqualTo(40);
    }

    @Test
    void endsBeforeAStopText() throws Exception {
        String whole = alone("Once upon a time", 60, 3);
        String stop = whole.substring(30, 34);
        ObjectNode request = Client.prompt("Once upon a time", 60, 3);
        request.putArray("stop").add("no such text").add(stop);
        JsonNode answer = client.post("/v1/completions", request.toString()).json();
        assertThat(answer.at("/choices/0/text").asText()).isEqualTo(whole.substring(0, whole.indexOf(stop)));
        assertThat(answer.at("/choices/0/finish_reason").asText()).isEqualTo("stop");
    }

    /** 64 streams at once: each is whole, and what its seed gives alone. */
    @Test
    void manyStreamsAreWholeAndApart() throws Exception {
        long before = liveBytes();
        List<Future<String>> answers = new ArrayList<>();
        try (ExecutorService clients = Executors.newFixedThreadPool(64)) {
            List<Callable<String>> calls = IntStream.range(0, 64).<Callable<String>>mapToObj(i -> () -> Client.text(
                    client.stream("/v1/completions",
                            Client.prompt("One day number " + i, 150, i).put("stream", true).toString())))
                    .toList();
            answers.addAll(clients.invokeAll(calls));
        }
        for (int i = 0; i < 64; i++) {
            assertThat(answers.get(i).get()).as("stream " + i).isEqualTo(alone("One day number " + i, 150, i));
        }
        client.awaitStreams(0);
        assertThat(liveBytes() - before).as("bytes kept after 64 streams").isLessThan(16 << 20);
    }

    private static long liveBytes() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    @ParameterizedTest(name = "{1}: {2}")
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "{                                             | 400 | the body is not JSON",
            "                                              | 400 | the body must be a JSON object, got nothing",
            "[1]                                           | 400 | the body must be a JSON object, got array",
            "{} {}                                         | 400 | the body is not JSON",
            "{\"prompt\": \"a\"}                           | 400 | model must be a string, got nothing",
            "{\"model\": \"gpt\", \"prompt\": \"a\"}       | 404 | the model gpt is not here; this server has stories",
            "{\"model\": \"stories\"}                      | 400 | prompt must be a string, or an array of one, got nothing",
            "{\"model\": \"stories\", \"prompt\": [\"a\", \"b\"]} | 400 | prompt must be a string, or an array of one, got array",
            "{\"model\": \"stories\", \"prompt\": \"a\", \"n\": 2} | 400 | n is not served; leave it out or give 1, got 2",
            "{\"model\": \"stories\", \"prompt\": \"a\", \"max_tokens\": 5000} | 400 | max_tokens must be a number from 0 to 4096, got 5000",
            "{\"model\": \"stories\", \"prompt\": \"a\", \"max_tokens\": 1.5} | 400 | max_tokens must be a whole number, got 1.5",
            "{\"model\": \"stories\", \"prompt\": \"a\", \"temperature\": \"hot\"} | 400 | temperature must be a number, got \"hot\"",
            "{\"model\": \"stories\", \"prompt\": \"a\", \"top_p\": 0} | 400 | top_p must be above 0",
            "{\"model\": \"stories\", \"prompt\": \"a\", \"seed\": 1e30} | 400 | seed must be a whole number of 64 bits",
            "{\"model\": \"stories\", \"prompt\": \"a\", \"stream\": \"yes\"} | 400 | stream must be true or false",
            "{\"model\": \"stories\", \"prompt\": \"a\", \"stop\": [\"\"]} | 400 | stop must be a string or an array of 1 to 4",
            "{\"model\": \"stories\", \"prompt\": \"a\", \"bitttt\": {\"session\": \"a b\"}} | 400 | bitttt.session must be 1 to 64 letters",
            "{\"model\": \"stories\", \"prompt\": \"a\", \"bitttt\": {\"watch\": 0}} | 400 | a memory can be watched in a stream only",
            "{\"model\": \"stories\", \"prompt\": \"a\", \"stream\": true, \"bitttt\": {\"watch\": 9}} | 400 | bitttt.watch must be a layer from 0 to 3, got 9"})
    void refusesWhatIsWrong(String body, int status, String message) throws Exception {
        Client.Answer answer = client.post("/v1/completions", body == null ? "" : body);
        assertThat(answer.message()).contains(message);
        assertThat(answer.status()).isEqualTo(status);
        assertThat(answer.json().at("/error/type").asText()).isEqualTo("invalid_request_error");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"[]|messages must be an array of at least one, got array",
            "[{\"role\": \"robot\", \"content\": \"a\"}]|messages[0].role must be system, developer, user, assistant, tool or function, got \"robot\"",
            "[{\"role\": \"user\"}]|messages[0].content must be a string or an array of parts, got nothing",
            "[{\"role\": \"user\", \"content\": [{\"type\": \"image_url\"}]}]|messages[0].content may have parts of type text only"})
    void refusesWrongMessages(String messages, String message) throws Exception {
        Client.Answer answer = client.post("/v1/chat/completions",
                "{\"model\": \"stories\", \"messages\": " + messages + "}");
        assertThat(answer.message()).contains(message);
        assertThat(answer.status()).isEqualTo(400);
    }

    /** Who writes a message cannot begin another document in the model's memory; a prompt is the programmer's own. */
    @Test
    void theEndOfATextInAMessageIsText() throws Exception {
        String text = "Once upon<|endoftext|> a time";
        JsonNode chat = client.post("/v1/chat/completions", "{\"model\": \"stories\", \"max_tokens\": 1, \"messages\": "
                + "[{\"role\": \"user\", \"content\": \"" + text + "\"}]}").json();
        assertThat(chat.at("/usage/prompt_tokens").intValue()).isEqualTo(model.tokenizer().encodeAsText(text).length)
                .isGreaterThan(model.tokenizer().encode(text).length);
        JsonNode plain = client.post("/v1/completions", Client.prompt(text, 1, 1).toString()).json();
        assertThat(plain.at("/usage/prompt_tokens").intValue()).isEqualTo(model.tokenizer().encode(text).length);
    }

    @Test
    void anAddressThatCannotBeHadIsNamed() {
        int port = server.address().getPort();
        assertThatThrownBy(() -> start(ServerOptions.local(port))).isInstanceOf(IOException.class)
                .hasMessage("127.0.0.1 port " + port
                        + ": Address already in use; choose another host or port, 0 for any free port");
        ServerOptions strange = new ServerOptions("host.invalid", 0, 1, 1, 100, 1, Duration.ofSeconds(1));
        assertThatThrownBy(() -> start(strange)).isInstanceOf(IOException.class)
                .hasMessage("host host.invalid: no such address or name");
    }

    static List<HttpRequest> strangeRequests() {
        String body = Client.prompt("a", 1, 1).toString();
        return List.of(client.request("/v2").GET().build(), client.request("/v1/completions").GET().build(),
                client.request("/v1/completions").POST(HttpRequest.BodyPublishers.ofString(body)).build(),
                client.json("/v1/completions", Client.prompt("a".repeat(2 << 20), 1, 1).toString()),
                client.request("/v1/completions").header("Content-Type", "application/json")
                        .POST(HttpRequest.BodyPublishers.fromPublisher(
                                HttpRequest.BodyPublishers.ofByteArray(new byte[2 << 20])))
                        .build(),
                client.request("/v1/sessions/none").DELETE().build());
    }

    @ParameterizedTest
    @MethodSource("strangeRequests")
    void refusesByStatus(HttpRequest request) throws Exception {
        Client.Answer answer = client.send(request);
        int expected = switch (request.method() + " " + request.uri().getPath()) {
            case "GET /v2", "DELETE /v1/sessions/none" -> 404;
            case "GET /v1/completions" -> 405;
            default -> request.headers().firstValue("Content-Type").isPresent() ? 413 : 415;
        };
        assertThat(answer.status()).isEqualTo(expected);
        assertThat(answer.message()).isNotEmpty();
        assertThat(answer.response().headers().firstValue("Allow").isPresent()).isEqualTo(expected == 405);
    }

    /** A stream of some 30 MB, which no socket's buffer takes: as long as nobody reads it, it does not end. */
    private static String tooMuch() {
        ObjectNode request = Client.prompt("Once upon a time ".repeat(1500), 1, 1).put("stream", true);
        request.putObject("bitttt").put("watch", 0);
        return request.toString();
    }

    /** A client that goes away in the middle costs one stream until then, and nothing after. */
    @Test
    void survivesDroppedConnections() throws Exception {
        List<Socket> sockets = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            sockets.add(client.unread(tooMuch()));
        }
        client.awaitStreams(8);
        for (Socket socket : sockets) {
            socket.close();
        }
        client.awaitStreams(0);
        goesOnWithAPrompt();
    }

    @Test
    void saysThatItIsBusy() throws Exception {
        try (ChatServer small = start(OPTIONS.withBounds(1, 1))) {
            Client other = new Client(small);
            try (Socket _ = other.unread(tooMuch())) {
                other.awaitStreams(1);
                Client.Answer answer = other.post("/v1/completions", Client.prompt("a", 1, 1).toString());
                assertThat(answer.status()).isEqualTo(429);
                assertThat(answer.json().at("/error/code").asText()).isEqualTo("rate_limit_exceeded");
                assertThat(answer.response().headers().firstValue("Retry-After")).contains("1");
            }
        }
    }

    @Test
    void tellsThatItTookTooLong() throws Exception {
        try (ChatServer hasty = start(OPTIONS.withTimeout(Duration.ofSeconds(1)))) {
            Client other = new Client(hasty);
            Client.Answer answer = other.post("/v1/completions",
                    Client.prompt("Max and the cat. ".repeat(20_000), 1, 1).toString());
            assertThat(answer.message()).isEqualTo("the answer took longer than 1 s");
            assertThat(answer.status()).isEqualTo(504);
        }
    }

    @Test
    void closesInTheMiddleOfAnAnswer() throws Exception {
        ChatServer other = start(OPTIONS);
        Client asking = new Client(other);
        try (Socket socket = asking.unread(tooMuch())) {
            asking.awaitStreams(1);
            long began = System.nanoTime();
            Thread closer = Thread.ofVirtual().start(other::close);
            Thread.sleep(100);
            String rest = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(rest).contains("the server is closing");
            closer.join();
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(15));
        }
        assertThatThrownBy(() -> asking.get("/health")).isInstanceOf(IOException.class);
    }

    /** A named session remembers: the same text surprises less the second time. */
    @Test
    void sessionsRemember() throws Exception {
        String text = "Tim found a purple key under the old bridge. The key opened a tiny door in the oak tree.";
        double first = meanSurprise(text, "one");
        assertThat(meanSurprise(text, "one")).isLessThan(first * 0.95);
        assertThat(meanSurprise(text, "two")).isEqualTo(first);
        Client.Answer forgotten = client.send(client.request("/v1/sessions/one").DELETE().build());
        assertThat(forgotten.json().get("deleted").booleanValue()).isTrue();
        assertThat(meanSurprise(text, "one")).isEqualTo(first);
    }

    private static double meanSurprise(String text, String session) throws Exception {
        ObjectNode request = Client.prompt(text, 0, 1).put("stream", true);
        request.putObject("bitttt").put("watch", 3).put("session", session);
        List<JsonNode> events = client.stream("/v1/completions", request.toString());
        assertThat(events.get(5).at("/bitttt/memory").asText()).hasSizeGreaterThan(1000);
        // The first token of a session has no surprise: leave it out of every reading.
        return events.stream().limit(events.size() - 1L).skip(1)
                .mapToDouble(event -> event.at("/bitttt/surprise").doubleValue()).average().orElseThrow();
    }

    @Test
    void keepsABoundedNumberOfSessions() throws Exception {
        try (ChatServer small = start(OPTIONS.withBounds(4, 2))) {
            Client other = new Client(small);
            for (String name : List.of("a", "b", "a", "c")) {
                ObjectNode request = Client.prompt("Once", 1, 1);
                request.putObject("bitttt").put("session", name);
                assertThat(other.post("/v1/completions", request.toString()).status()).isEqualTo(200);
            }
            assertThat(other.get("/health").json().get("sessions").intValue()).isEqualTo(2);
            // b was unused for longest.
            assertThat(other.send(other.request("/v1/sessions/b").DELETE().build()).status()).isEqualTo(404);
            assertThat(other.send(other.request("/v1/sessions/a").DELETE().build()).status()).isEqualTo(200);
        }
    }

    @Test
    void tellsItsModel() throws Exception {
        JsonNode entry = client.get("/v1/models").json().get("data").get(0);
        assertThat(entry.get("id").asText()).isEqualTo("stories");
        assertThat(entry.at("/bitttt/layers").intValue()).isEqualTo(4);
        assertThat(server.address().getHost()).isEqualTo("127.0.0.1");
        assertThat(server).hasToString("ChatServer[" + server.address() + ", stories, 0 of 64 streams]");
    }

    @Test
    void optionsAreChecked() {
        assertThatThrownBy(() -> ServerOptions.local(70_000)).hasMessage("port must be 0 to 65535, got 70000");
        assertThatThrownBy(() -> OPTIONS.withBounds(0, 1)).hasMessage("streams must be at least 1, got 0");
        assertThatThrownBy(() -> OPTIONS.withTimeout(Duration.ofMillis(10)))
                .hasMessage("timeout must be at least 1 second, got PT0.01S");
    }
}
