package io.github.bitttt.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A client that closes its connection in the middle of an answer costs nothing from then on. */
@Timeout(value = 120, unit = TimeUnit.SECONDS)
@EnabledOnOs(OS.LINUX) // elsewhere only what is written tells that nobody reads
class GoneClientsTest {
    /** A quarter of a second by the clock of the server; the rest is for a busy machine. */
    private static final Duration SOON = Duration.ofSeconds(6);
    private static final String LONG = "Max and the cat. ".repeat(30_000);
    private static ChatServer server;
    private static Client client;

    /** Answers end by their number of tokens alone, which takes minutes: what ends soon ends for another reason. */
    @BeforeAll
    static void start() throws IOException {
        Zoo.Entry entry = Zoo.load(Zoo.DEFAULT);
        int never = entry.tokenizer().encode("~")[0];
        Model model = Model.of(new Zoo.Entry("stories", entry.checkpoint(), entry.tokenizer(),
                Optional.of("{\"eos_token_id\": " + never + "}")));
        server = ChatServer.start("stories", model,
                new ServerOptions("127.0.0.1", 0, 4, 4, 1 << 26, Integer.MAX_VALUE, Duration.ofMinutes(10)),
                InstantSource.system());
        client = new Client(server);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Duration untilFree(ObjectNode request) throws Exception {
        Socket socket = client.unread(request.toString());
        client.awaitStreams(1);
        // It is at work, and goes on while somebody waits.
        Thread.sleep(200);
        client.awaitStreams(1);
        socket.close();
        long began = System.nanoTime();
        client.awaitStreams(0);
        return Duration.ofNanos(System.nanoTime() - began);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLongAnswerEnds(boolean stream) throws Exception {
        Duration took = untilFree(Client.prompt("Once", 50_000_000, 1).put("stream", stream));
        System.out.println("a long answer: free after " + took.toMillis() + " ms");
        assertThat(took).isLessThan(SOON);
    }

    /** Beside the time that the prompt takes if somebody waits, for turning it into tokens is not interrupted. */
    @Test
    void aLongPromptEnds() throws Exception {
        long began = System.nanoTime();
        assertThat(client.post("/v1/completions", Client.prompt(LONG, 1, 1).toString()).status()).isEqualTo(200);
        Duration whole = Duration.ofNanos(System.nanoTime() - began);
        for (boolean stream : new boolean[]{false, true}) {
            Duration took = untilFree(Client.prompt(LONG, 1, 1).put("stream", stream));
            System.out.println("a long prompt of " + whole.toMillis() + " ms: free after " + took.toMillis() + " ms");
            assertThat(took).isLessThan(whole.dividedBy(2));
        }
    }

    /** What a session had read until then it knows. */
    @Test
    void aNamedSessionStays() throws Exception {
        ObjectNode request = Client.prompt("Once", 50_000_000, 1);
        request.putObject("bitttt").put("session", "left");
        Socket socket = client.unread(request.toString());
        client.awaitStreams(1);
        Thread.sleep(500);
        socket.close();
        client.awaitStreams(0);
        assertThat(client.get("/health").json().get("sessions").intValue()).isEqualTo(1);
        ObjectNode again = Client.prompt(" upon", 3, 1);
        again.putObject("bitttt").put("session", "left");
        assertThat(client.post("/v1/completions", again.toString()).status()).isEqualTo(200);
    }

    /** Where the system has no such tables, or they show no connection, everybody is there. */
    @Test
    void withoutATableNobodyIsGone() {
        Connections none = new Connections(server.address().getPort(), List.of(Path.of("/no/such/table")));
        BooleanSupplier gone = none.gone(new InetSocketAddress("127.0.0.1", 9));
        assertThat(gone.getAsBoolean()).isFalse();
        BooleanSupplier unseen = new Connections(server.address().getPort())
                .gone(new InetSocketAddress("127.0.0.1", 9));
        assertThat(unseen.getAsBoolean()).isFalse();
    }
}
