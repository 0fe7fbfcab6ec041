package io.github.bitttt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program that watches a log. */
class WatchTest {
    private static final String FAULT = "10:59 ERROR disk 7 is full, data lost";

    @TempDir
    private Path folder;

    private record Run(int code, String out, String err) {
        List<JsonNode> objects() {
            return out.lines().map(Run::parse).toList();
        }

        private static JsonNode parse(String line) {
            try {
                return new ObjectMapper().readTree(line);
            } catch (IOException e) {
                throw new AssertionError(line, e);
            }
        }
    }

    private static Run run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        int code = Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err)).execute(arguments);
        return new Run(code, out.toString(), err.toString());
    }

    private static String usual(int from, int to) {
        StringBuilder log = new StringBuilder();
        IntStream.range(from, to).forEach(i -> log
                .append(String.format(Locale.ROOT, "10:%02d INFO worker-%d finished job %d%n", i % 60, i % 4, i)));
        return log.toString();
    }

    @Test
    void aFaultIsShownAndWhatWasLearnedIsGoneOnWith() throws IOException {
        Path log = Files.writeString(folder.resolve("a.log"), usual(0, 80) + FAULT + "\n" + usual(80, 90));
        Path memory = folder.resolve("memory.safetensors");
        String[] watch = {"watch", log.toString(), "--once", "--window", "60", "--share", "0.02", "--memory",
                memory.toString()};
        Run first = run(watch);
        assertThat(first.code()).as(first.err()).isZero();
        assertThat(first.out()).containsPattern("      81 +[0-9.]+  " + FAULT + "\n")
                .containsPattern("\n[0-9]+ of 91 lines shown\n$");

        Run again = run("watch", log.toString(), "--once", "--share", "1", "--memory", memory.toString(), "--json");
        assertThat(again.objects()).hasSize(91);
        assertThat(again.err()).endsWith("91 of 91 lines shown" + System.lineSeparator());
        Run fresh = run("watch", log.toString(), "--once", "--share", "1", "--json");
        assertThat(fresh.objects().getFirst().get("text").asText()).isEqualTo("10:00 INFO worker-0 finished job 0");
        assertThat(sum(again)).isLessThan(0.7 * sum(fresh));
        Run frozen = run("watch", log.toString(), "--once", "--share", "1", "--adapt", "none", "--json");
        assertThat(sum(fresh)).isLessThan(0.7 * sum(frozen));
    }

    private static double sum(Run run) {
        return run.objects().stream().mapToDouble(line -> line.get("surprise").doubleValue()).sum();
    }

    @Test
    void standardInputIsAStreamOfLinesToo() {
        InputStream console = System.in;
        System.setIn(new ByteArrayInputStream((usual(0, 80) + FAULT).getBytes(StandardCharsets.UTF_8)));
        try {
            List<JsonNode> shown = run("watch", "--window", "50", "--share", "0.02", "--json").objects();
            assertThat(shown.getLast().get("line").longValue()).isEqualTo(81);
            assertThat(shown.getLast().get("share").doubleValue()).isEqualTo(1 / 51.0);
            assertThat(shown.getLast().get("text").asText()).isEqualTo(FAULT);
        } finally {
            System.setIn(console);
        }
    }

    @Test
    void mistakesAreToldBeforeAModelIsLoaded() {
        assertError(1, "none.log: no such file", "watch", "none.log");
        assertError(1, "none.log: no such file", "watch", "none.log", "--once");
        assertError(2, "share must be above 0 and at most 1, got 0.0", "watch", "--share", "0");
        assertError(2, "window must be 1 to 1048576 lines, got 0", "watch", "--window", "0");
        assertError(2, "a share of 0.01 of a window of 50 lines is less than one line; take a larger window or share",
                "watch", "--window", "50");
        assertError(2, "a memory at the output is standard or counts, got much", "watch", "--adapt", "much");
        assertError(2, "--once with --new leaves nothing to read; take one of them", "watch", "--once", "--new");
    }

    private static void assertError(int code, String message, String... arguments) {
        Run run = run(arguments);
        assertThat(run.err()).isEqualTo("bitttt: " + message + System.lineSeparator());
        assertThat(run.code()).isEqualTo(code);
    }

    /** A process that waits for more, and is ended as Ctrl-C does. */
    @Test
    void aGrowingFileIsFollowedUntilTheProcessIsEnded() throws Exception {
        Path log = Files.writeString(folder.resolve("a.log"), "an old line\n");
        Path memory = folder.resolve("memory.safetensors");
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                Main.class.getName(),
                "watch", log.toString(), "--share", "1", "--memory", memory.toString(), "--json")
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
            assertThat(out.readLine()).contains("\"text\":\"an old line\"");
            Files.writeString(log, "a new line\n", StandardOpenOption.APPEND);
            assertThat(out.readLine()).contains("\"line\":2").contains("\"text\":\"a new line\"");
            process.destroy();
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        try (Model model = Model.load(Zoo.DEFAULT); Session session = model.newSession(OutputMemory.standard())) {
            session.loadMemory(memory);
            assertThat(session.outputGain().orElseThrow().tokens()).isPositive();
        }
    }
}
