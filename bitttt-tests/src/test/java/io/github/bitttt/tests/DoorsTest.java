package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.capi.Bridge;
import io.github.bitttt.cli.Main;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.server.ChatServer;
import io.github.bitttt.server.ServerOptions;
import io.github.bitttt.tests.faults.Programs;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The same model, prompt and seed write the same text through every door. C's languages and Spark have the same test in their modules. */
class DoorsTest {
    private static final String PROMPT = "Once upon a time";
    private static final int ROOM = 1 << 13;
    private static Model model;
    private static String expected;
    private static String warm;

    @BeforeAll
    static void fromJava() throws IOException {
        model = Model.load(Zoo.DEFAULT);
        try (Session session = model.newSession(); Session other = model.newSession()) {
            expected = session.generate(PROMPT, model.defaults().withSeed(5)).result().text();
            warm = other.generate(PROMPT, model.defaults().withSeed(5).withTemperature(1.5).withTopK(0)).result()
                    .text();
        }
        assertThat(expected).hasSizeGreaterThan(100).isNotEqualTo(warm);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    @Test
    void fromTheCommandLine() throws Exception {
        assertThat(program()).isEqualTo(expected);
        assertThat(program("--temperature", "1.5", "--top-k", "0")).isEqualTo(warm);
    }

    private static String program(String... options) throws Exception {
        String[] arguments = new String[options.length + 6];
        System.arraycopy(new String[]{"generate", "--json", "--prompt", PROMPT, "--seed", "5"}, 0, arguments, 0, 6);
        System.arraycopy(options, 0, arguments, 6, options.length);
        String output = Programs.run(Main.class, arguments);
        return new ObjectMapper().readTree(output.substring(output.lastIndexOf("{\""))).get("text").asText();
    }

    @Test
    void overHttp() throws Exception {
        try (ChatServer server = ChatServer.start("stories", model, ServerOptions.local(0), InstantSource.system())) {
            assertThat(post(server.address(), "")).isEqualTo(expected);
            assertThat(post(server.address(), ", \"temperature\": 1.5, \"top_k\": 0")).isEqualTo(warm);
        }
    }

    private static String post(URI address, String options) throws IOException, InterruptedException {
        String body = "{\"model\": \"stories\", \"prompt\": \"" + PROMPT + "\", \"seed\": 5" + options + "}";
        try (HttpClient client = HttpClient.newHttpClient()) {
            JsonNode answer = new ObjectMapper().readTree(client.send(
                    HttpRequest.newBuilder(address.resolve("/v1/completions"))
                            .header("Content-Type", "application/json")
                            .POST(HttpRequest.BodyPublishers.ofString(body)).build(),
                    HttpResponse.BodyHandlers.ofString()).body());
            return answer.at("/choices/0/text").asText();
        }
    }

    @Test
    void fromC() {
        assertThat(bridge("{\"seed\": 5}")).isEqualTo(expected);
        assertThat(bridge("{\"seed\": 5, \"temperature\": 1.5, \"top_k\": 0}")).isEqualTo(warm);
    }

    private static String bridge(String options) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment room = arena.allocate(ROOM, 8);
            MemorySegment handle = arena.allocate(8, 8);
            MemorySegment length = arena.allocate(8, 8);
            MemorySegment end = arena.allocate(4, 4);
            MemorySegment name = arena.allocateFrom(Zoo.DEFAULT);
            MemorySegment prompt = arena.allocateFrom(PROMPT);
            MemorySegment json = arena.allocateFrom(options);
            long error = room.address();
            assertThat(Bridge.modelLoad(error, name.address(), name.byteSize() - 1, handle.address())).isZero();
            long loaded = handle.get(ValueLayout.JAVA_LONG, 0);
            assertThat(Bridge.sessionNew(error, loaded, handle.address())).isZero();
            // A model's handle may end before its sessions do.
            assertThat(Bridge.modelFree(error, loaded)).isZero();
            assertThat(Bridge.generationNew(error, handle.get(ValueLayout.JAVA_LONG, 0), prompt.address(),
                    prompt.byteSize() - 1, json.address(), json.byteSize() - 1, handle.address())).isZero();
            long generation = handle.get(ValueLayout.JAVA_LONG, 0);
            StringBuilder text = new StringBuilder();
            do {
                assertThat(Bridge.generationNext(error, generation, room.address(), ROOM, length.address(),
                        end.address())).isZero();
                text.append(new String(room.asSlice(0, length.get(ValueLayout.JAVA_LONG, 0))
                        .toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8));
            } while (end.get(ValueLayout.JAVA_INT, 0) == 0);
            assertThat(Bridge.generationFree(error, generation)).isZero();
            return text.toString();
        }
    }
}
