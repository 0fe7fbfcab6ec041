package io.github.bitttt.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients send that a server might ignore, mistake or repeat at length: each is served, or refused by name in few words. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class StrangeRequestsTest {
    private static ChatServer server;
    private static Client client;

    @BeforeAll
    static void start() throws IOException {
        server = serve(ServerOptions.local(0));
        client = new Client(server);
    }

    private static ChatServer serve(ServerOptions options) throws IOException {
        Zoo.Entry entry = Zoo.load(Zoo.DEFAULT);
        return ChatServer.start("stories", Model.of(entry.checkpoint(), entry.tokenizer()), options,
                InstantSource.system());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Client.Answer with(String path, String field, String value) throws Exception {
        ObjectNode body = (ObjectNode) Client.JSON.readTree("""
                {"model": "stories", "prompt": "Once", "max_tokens": 1}""");
        if (path.endsWith("chat/completions")) {
            body.remove("prompt");
            body.putArray("messages").addObject().put("role", "user").put("content", "Once");
        }
        return client.post(path, body.set(field, Client.JSON.readTree(value)).toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "echo|true|echo is not served; leave it out or give false, got true",
            "logprobs|1|logprobs is not served; leave it out or give false, got 1",
            "logprobs|0|logprobs is not served; leave it out or give false, got 0",
            "top_logprobs|3|top_logprobs is not served; leave it out or give 0, got 3",
            "suffix|\"end\"|suffix is not served; leave it out or give \"\", got \"end\"",
            "logit_bias|{\"5\": 1}|logit_bias is not served; leave it out, got {\"5\":1}",
            "presence_penalty|0.5|presence_penalty is not served; leave it out or give 0, got 0.5",
            "frequency_penalty|\"high\"|frequency_penalty is not served; leave it out or give 0, got \"high\"",
            "response_format|{\"type\": \"json_object\"}|response_format is not served; leave it out or give {\"type\":\"text\"}, got {\"type\":\"json_object\"}",
            "tools|[{\"type\": \"function\"}]|tools is not served; leave it out, got [{\"type\":\"function\"}]",
            "tool_choice|\"required\"|tool_choice is not served; leave it out or give \"none\", got \"required\"",
            "n|1.9|n is not served; leave it out or give 1, got 1.9",
            "n|\"2\"|n is not served; leave it out or give 1, got \"2\"",
            "n|true|n is not served; leave it out or give 1, got true",
            "best_of|3|best_of is not served; leave it out or give 1, got 3",
            "typical_p|0.5|typical_p is not served; leave it out or give 1, got 0.5",
            "grammar|\"root ::= a\"|grammar is no field that this server knows; leave it out",
            "tempreature|1|tempreature is no field that this server knows; leave it out",
            "stream_options|5|stream_options must be an object, got 5",
            "stream_options|{\"usage\": true}|stream_options.usage is not served; stream_options may have include_obfuscation, include_usage",
            "bitttt|5|bitttt must be an object, got 5", "bitttt|[]|bitttt must be an object, got []",
            "bitttt|{\"sesion\": \"a\"}|bitttt.sesion is not served; bitttt may have session, watch"})
    void refusesByNameWhatWouldChangeTheAnswer(String field, String value, String message) throws Exception {
        for (String path : List.of("/v1/completions", "/v1/chat/completions")) {
            Client.Answer answer = with(path, field, value);
            assertThat(answer.message()).isEqualTo(message);
            assertThat(answer.status()).isEqualTo(400);
            assertThat(answer.json().at("/error/param").asText()).startsWith(field);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {"echo|false", "echo|null", "logprobs|null",
            "logprobs|false", "top_logprobs|0",
            "suffix|\"\"", "logit_bias|{}", "presence_penalty|0.0", "frequency_penalty|0", "n|1", "n|1.0",
            "response_format|{\"type\": \"text\"}", "tools|[]", "tool_choice|\"auto\"", "user|\"me\"",
            "metadata|{\"a\": \"b\"}", "store|false", "stream_options|null", "bitttt|null", "unheard_of|null",
            "parallel_tool_calls|true", "min_p|0", "repetition_penalty|1.0"})
    void neutralValuesPass(String field, String value) throws Exception {
        for (String path : List.of("/v1/completions", "/v1/chat/completions")) {
            assertThat(with(path, field, value).status()).as(field).isEqualTo(200);
        }
    }

    @Test
    void aFieldOfTheOtherPathIsNotIgnored() throws Exception {
        assertThat(with("/v1/completions", "messages", "[]").message())
                .isEqualTo("messages is no field that this server knows; leave it out");
        assertThat(with("/v1/chat/completions", "prompt", "\"a\"").status()).isEqualTo(400);
        assertThat(client.post("/v1/completions", "{\"model\": \"stories\", \"model\": \"x\"}").message())
                .isEqualTo("the body is not JSON: Duplicate field 'model'");
    }

    private static Client.Answer messages(String messages) throws Exception {
        return client.post("/v1/chat/completions",
                "{\"model\": \"stories\", \"max_tokens\": 0, \"messages\": " + messages + "}");
    }

    private static int tokens(Client.Answer answer) {
        assertThat(answer.status()).as(answer.message()).isEqualTo(200);
        return answer.json().at("/usage/prompt_tokens").intValue();
    }

    /** The history of an agent: its call has no text, and the tool's answer has. */
    @Test
    void readsACallOfATool() throws Exception {
        int plain = tokens(messages(
                """
                        [{"role": "user", "content": "w?"}, {"role": "assistant", "content": ""}, {"role": "user", "content": "Sunny"}]"""));
        for (String content : List.of("\"content\": null, ", "")) {
            assertThat(tokens(messages("[{\"role\": \"user\", \"content\": \"w?\"}, {\"role\": \"assistant\", "
                    + content
                    + "\"tool_calls\": [{\"id\": \"c1\", \"type\": \"function\", \"function\": {\"name\": \"f\", \"arguments\": \"{}\"}}]},"
                    + "{\"role\": \"tool\", \"tool_call_id\": \"c1\", \"content\": \"Sunny\"}]"))).isEqualTo(plain);
        }
        assertThat(tokens(messages(
                """
                        [{"role": "user", "content": "w?"}, {"role": "assistant", "content": null, "function_call": {}}, {"role": "function", "name": "f", "content": "Sunny"}]""")))
                .isEqualTo(plain);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
            "[{\"role\": \"user\", \"content\": null}]|messages[0].content must be a string or an array of parts, got null",
            "[{\"role\": \"assistant\", \"content\": null}]|messages[0].content must be a string or an array of parts where there are no tool_calls, got null",
            "[null]|messages[0] must be an object, got null",
            "[{\"role\": 5, \"content\": \"a\"}]|messages[0].role must be system, developer, user, assistant, tool or function, got 5"})
    void refusesMessagesWithoutContent(String messages, String message) throws Exception {
        Client.Answer answer = messages(messages);
        assertThat(answer.message()).isEqualTo(message);
        assertThat(answer.status()).isEqualTo(400);
    }

    private static Client.Answer bytes(byte[] body, String... headers) throws Exception {
        HttpRequest.Builder request = client.request("/v1/completions")
                .POST(HttpRequest.BodyPublishers.ofByteArray(body));
        return client.send(request.headers(headers).build());
    }

    private static final String CAFE = "{\"model\": \"stories\", \"prompt\": \"caf\u00e9\", \"max_tokens\": 1}";

    @Test
    void bodiesAreUtf8() throws Exception {
        String[] json = {"Content-Type", "application/json"};
        Client.Answer latin = bytes(CAFE.getBytes(StandardCharsets.ISO_8859_1), json);
        assertThat(latin.message()).isEqualTo("the body must be UTF-8 text, got other bytes at byte 35");
        assertThat(latin.status()).isEqualTo(400);
        assertThat(bytes(CAFE.getBytes(Charset.forName("UTF-16")), json).message()).contains("must be UTF-8");
        assertThat(bytes(("\uFEFF" + CAFE).getBytes(StandardCharsets.UTF_8), json).status()).isEqualTo(200);
        assertThat(bytes(CAFE.getBytes(StandardCharsets.UTF_8), "Content-Type", "application/json; charset=UTF-8")
                .status()).isEqualTo(200);
        Client.Answer said = bytes(CAFE.getBytes(StandardCharsets.ISO_8859_1), "Content-Type",
                "application/json; charset=ISO-8859-1");
        assertThat(said.status()).isEqualTo(415);
        assertThat(said.message()).isEqualTo("a body must be UTF-8, got charset=iso-8859-1");
        assertThat(bytes("{}".getBytes(StandardCharsets.UTF_8), "Content-Type", "application/jsonp").status())
                .isEqualTo(415);
    }

    @Test
    void bodiesAreNotCompressed() throws Exception {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (GZIPOutputStream gzip = new GZIPOutputStream(packed)) {
            gzip.write(CAFE.getBytes(StandardCharsets.UTF_8));
        }
        Client.Answer answer = bytes(packed.toByteArray(), "Content-Type", "application/json", "Content-Encoding",
                "gzip");
        assertThat(answer.status()).isEqualTo(415);
        assertThat(answer.message())
                .isEqualTo("a body must not be compressed: leave Content-Encoding out, got gzip");
        assertThat(bytes(CAFE.getBytes(StandardCharsets.UTF_8), "Content-Type", "application/json", "Content-Encoding",
                "identity").status()).isEqualTo(200);
    }

    /** Half of an emoji costs itself, not the emoji before it. */
    @Test
    void halfOfACharacterCostsItself() throws Exception {
        String start = "{\"model\": \"stories\", \"max_tokens\": 0, \"prompt\": \"\\ud83d\\ude00";
        int whole = tokens(client.post("/v1/completions", start + "\"}"));
        assertThat(tokens(client.post("/v1/completions", start + "\\ud83d\"}"))).isLessThanOrEqualTo(whole + 3);
    }

    @Test
    void errorsAreShort() throws Exception {
        String much = "A".repeat(900_000);
        List<Client.Answer> answers = List.of(
                messages("[{\"role\": \"user\", \"content\": [{\"type\": \"image_url\", \"image_url\": {\"url\": \""
                        + much
                        + "\"}}]}]"),
                messages("[{\"role\": \"" + much + "\", \"content\": \"a\"}]"),
                client.post("/v1/completions", "{\"model\": \"" + much + "\", \"prompt\": \"a\"}"),
                client.post("/v1/completions", "{\"" + much + "\": 1}"), client.post("/v1/completions", much),
                with("/v1/completions", "stop", "[\"\", \"" + much + "\"]"),
                with("/v1/completions", "stream", "\"" + much + "\""),
                with("/v1/completions", "temperature", "\"" + much + "\""),
                with("/v1/completions", "seed", "\"" + much + "\""),
                with("/v1/completions", "bitttt", "{\"session\": \"" + much + "\"}"),
                with("/v1/completions", "bitttt", "{\"" + much.substring(0, 40_000) + "\": 1}"),
                client.get("/" + much.substring(0, 50_000)), client.get("/v1/models/" + much.substring(0, 50_000)),
                client.send(client.request("/v1/sessions/" + much.substring(0, 50_000)).DELETE().build()));
        for (Client.Answer answer : answers) {
            assertThat(answer.status()).isIn(400, 404);
            assertThat(answer.message()).isNotEmpty();
            assertThat(answer.response().body()).hasSizeLessThan(600);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"/", "/health", "/v1/models", "/v1/models/stories", "/v1/models/none", "/none"})
    void headIsGetWithoutABody(String path) throws Exception {
        HttpRequest get = client.request(path).GET().build();
        Client.Answer answer = path.equals("/") ? null : client.send(get);
        Client.Answer head = client.send(client.request(path).HEAD().build());
        assertThat(head.response().body()).isEmpty();
        assertThat(head.response().headers().firstValueAsLong("Content-Length").orElse(0)).isPositive();
        assertThat(head.status()).isEqualTo(answer == null ? 200 : answer.status());
    }

    @Test
    void describesAModelByName() throws Exception {
        assertThat(client.get("/v1/models/stories").json())
                .isEqualTo(client.get("/v1/models").json().get("data").get(0));
        Client.Answer other = client.get("/v1/models/gpt");
        assertThat(other.status()).isEqualTo(404);
        assertThat(other.json().at("/error/code").asText()).isEqualTo("model_not_found");
    }

    @Test
    void optionsTellsTheMethods() throws Exception {
        HttpRequest request = client.request("/v1/chat/completions")
                .method("OPTIONS", HttpRequest.BodyPublishers.noBody()).build();
        Client.Answer answer = client.send(request);
        assertThat(answer.status()).isEqualTo(204);
        assertThat(answer.response().headers().firstValue("Allow")).contains("POST, OPTIONS");
        assertThat(answer.response().headers().firstValue("Access-Control-Allow-Origin")).isEmpty();
    }

    @Test
    void everyAddressIsShownAsOneThatABrowserTakes() throws Exception {
        ServerOptions local = ServerOptions.local(0);
        ServerOptions all = new ServerOptions("0.0.0.0", 0, Integer.MAX_VALUE, 1, Integer.MAX_VALUE, 16,
                local.timeout());
        try (ChatServer open = serve(all)) {
            assertThat(open.address().getHost()).isEqualTo("localhost");
            assertThat(new Client(open).post("/v1/completions", CAFE).status()).isEqualTo(200);
        }
    }

    /** Where sessions need more memory than there is, a client is told so, and the server goes on. */
    @Test
    void littleMemoryIsSaid() throws Exception {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx32m", "-XX:+UseSerialGC", "--add-modules=jdk.incubator.vector",
                        "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                        SmallServer.class.getName()));
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try {
            String address = process.inputReader().readLine();
            Client small = new Client(URI.create(address));
            List<Integer> seen = new ArrayList<>();
            // To the first that has no room: what a process does whose every allocation fails is Java's matter.
            for (int i = 0; i < 64 && !seen.contains(503); i++) {
                ObjectNode request = Client.prompt("Once", 1, 1);
                request.putObject("bitttt").put("session", "s" + i);
                Client.Answer answer = small.post("/v1/completions", request.toString());
                seen.add(answer.status());
                assertThat(answer.status()).as(answer.message()).isIn(200, 503);
                if (answer.status() == 503) {
                    assertThat(answer.message()).startsWith("the server is out of memory with");
                }
            }
            assertThat(seen.getFirst()).isEqualTo(200);
            assertThat(seen).as("a heap for some sessions, not for all").contains(503);
            assertThat(small.get("/health").status()).isEqualTo(200);
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    /** A server for {@link #littleMemoryIsSaid()}, in a process of its own. */
    static final class SmallServer {
        private SmallServer() {
        }

        public static void main(String[] arguments) throws IOException, InterruptedException {
            System.out.println(serve(ServerOptions.local(0)).address());
            Thread.sleep(120_000);
        }
    }
}
