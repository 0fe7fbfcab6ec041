package io.github.bitttt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.generate.GenerationOptions;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Sampler;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.chat.ChatMessage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

/** The conversation in the terminal, with lines from a stream. */
@ResourceLock("System.in")
class ChatProgramTest {
    @TempDir
    private Path folder;

    private record Run(int code, String out, String err) {}

    private static Run run(String input, String... arguments) {
        InputStream before = System.in;
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
        try {
            int code = Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err)).execute(arguments);
            return new Run(code, out.toString(), err.toString());
        } finally {
            System.setIn(before);
        }
    }

    @Test
    void linesAreAnswered() throws IOException {
        Run run = run("Once upon a time\n\nthere was\r\n/quit\nnever read\n", "chat", "--tokens", "12", "--seed", "4",
                "--json");
        assertThat(run.code()).as(run.err()).isZero();
        JsonNode result = new ObjectMapper().readTree(run.out());
        assertThat(result.get("chat_format").asText()).isEqualTo("stories");
        assertThat(result.get("messages")).hasSize(4);
        try (Model model = Model.load("stories-256x4"); Session session = model.newSession()) {
            GenerationOptions options = model.defaults().withMaxNewTokens(12);
            for (int turn = 0; turn < 2; turn++) {
                GenerationOptions now = options.withSeed(4 + turn);
                ChatMessage message = ChatMessage.user(turn == 0 ? "Once upon a time" : "there was");
                String text = session.chat(List.of(message), now, Sampler.of(now.sampling()), () -> false).result()
                        .text();
                assertThat(result.at("/messages/" + 2 * turn + "/content").asText()).isEqualTo(message.content());
                assertThat(result.at("/messages/" + (2 * turn + 1) + "/content").asText()).isEqualTo(text);
                assertThat(run.err()).contains(text.strip());
            }
            assertThat(result.get("position").longValue()).isEqualTo(session.position());
        }
    }

    /** What was learned is saved, forgotten and loaded: the same question has the same answer. */
    @Test
    void commands() throws IOException {
        Path file = folder.resolve("said.memory");
        Path missing = folder.resolve("none.memory");
        Run run = run("The dragon Oss lives in a box.\n/memory\n/save " + file + "\n/forget\n/memory\n/load " + missing
                + "\n/load "
                + file + "\n//slash\n/save\n/nothing\n/help\n", "chat", "--tokens", "5", "--temperature", "0");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(file).isNotEmptyFile();
        assertThat(run.out()).contains("stories-256x4, chat format stories; /help tells more",
                "tokens read, memory norms",
                "said.memory: saved", "forgotten", "Session[0 tokens read, memory norms 0.00, 0.00, 0.00, 0.00]",
                missing + ": ", "said.memory: loaded", "/save takes a file, got none",
                "there is no /nothing; /help tells what there is", "/forget     begin anew");
        assertThat(Files.exists(missing)).isFalse();
    }

    @Test
    void optionsAreCheckedFirst() {
        assertThat(run("", "chat", "--chat-format", "alpaca").err())
                .contains("the chat format must be one of llama3, chatml");
        assertThat(run("", "chat", "--chat-format", "llama3").err())
                .contains("the chat format llama3 needs the token <|start_header_id|>");
        assertThat(run("", "chat", "--temperature", "hot").err()).contains("temperature must be a number");
        Run named = run("Hello\n", "chat", "--chat-format", "falcon3", "--system", "Be brief.", "--tokens", "2");
        assertThat(named.code()).as(named.err()).isZero();
        assertThat(named.out()).contains("chat format falcon3");
    }

    @Test
    void anInterruptIsHeard() throws Exception {
        CountDownLatch heard = new CountDownLatch(1);
        try (Interrupts _ = Interrupts.handle(heard::countDown)) {
            Class<?> signal = Class.forName("sun.misc.Signal");
            signal.getMethod("raise", signal).invoke(null, signal.getConstructor(String.class).newInstance("INT"));
            assertThat(heard.await(20, TimeUnit.SECONDS)).isTrue();
        }
    }
}
