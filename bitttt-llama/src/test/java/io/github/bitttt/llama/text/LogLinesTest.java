package io.github.bitttt.llama.text;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Logs are read whatever is in them, and go on when they grow, are rotated or emptied. */
class LogLinesTest {
    private static final Duration PAUSE = Duration.ofMillis(1);
    private static final String END = "the end";

    @TempDir
    private Path folder;

    private static List<String> lines(byte[] bytes) throws IOException {
        List<String> all = new ArrayList<>();
        try (LogLines lines = new LogLines(new ByteArrayInputStream(bytes))) {
            for (String line; (line = lines.next()) != null;) {
                all.add(line);
            }
        }
        return all;
    }

    @Test
    void linesEndInAnyOfThreeWays() throws IOException {
        assertThat(lines("a\nb\r\nc\rd\n\n\r\ne".getBytes(UTF_8))).containsExactly("a", "b", "c", "d", "", "", "e");
        assertThat(lines("a\r\n".getBytes(UTF_8))).containsExactly("a");
        assertThat(lines(new byte[0])).isEmpty();
    }

    @Test
    void nothingIsRefused() throws IOException {
        assertThat(lines("caf\u00e9\n\u00ff\n".getBytes(ISO_8859_1))).containsExactly("caf\uFFFD", "\uFFFD");
        assertThat(lines(("x".repeat(5000) + "\ny").getBytes(UTF_8))).containsExactly("x".repeat(4096), "y");
    }

    /** Reads in a thread of its own until a line says so. */
    private static BlockingQueue<String> reading(GrowingFile file) {
        BlockingQueue<String> queue = new LinkedBlockingQueue<>();
        Thread.ofVirtual().start(() -> {
            try (LogLines lines = new LogLines(file)) {
                for (String line; (line = lines.next()) != null;) {
                    queue.add(line);
                }
                queue.add(END);
            } catch (IOException e) {
                queue.add(e.toString());
            }
        });
        return queue;
    }

    private static String next(BlockingQueue<String> lines) throws InterruptedException {
        return lines.poll(60, TimeUnit.SECONDS);
    }

    private static void append(Path file, String text) throws IOException {
        Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    @Test
    void aFileGrowsIsRotatedAndEmptied() throws Exception {
        Path log = Files.writeString(folder.resolve("a.log"), "one\ntw");
        GrowingFile file = new GrowingFile(log, false, PAUSE);
        BlockingQueue<String> lines = reading(file);
        assertThat(next(lines)).isEqualTo("one");
        assertThat(lines.poll(20, TimeUnit.MILLISECONDS)).as("half a line").isNull();
        append(log, "o\nlast of the old");
        assertThat(next(lines)).isEqualTo("two");
        Files.move(log, folder.resolve("a.log.1"));
        append(log, "first of the new\n");
        assertThat(next(lines)).isEqualTo("last of the old");
        assertThat(next(lines)).isEqualTo("first of the new");
        Files.writeString(log, "x\n");
        assertThat(next(lines)).isEqualTo("x");
        file.close();
        assertThat(next(lines)).isEqualTo(END);
    }

    @Test
    void whatIsThereMayBeLeftOut() throws Exception {
        Path log = Files.writeString(folder.resolve("a.log"), "old\n");
        try (GrowingFile file = new GrowingFile(log, true, PAUSE)) {
            BlockingQueue<String> lines = reading(file);
            append(log, "new\n");
            assertThat(next(lines)).isEqualTo("new");
        }
    }

    @Test
    void aFileMustBeThere() {
        assertThatThrownBy(() -> new GrowingFile(folder.resolve("none"), false, PAUSE))
                .isInstanceOf(NoSuchFileException.class).hasMessage(folder.resolve("none").toString());
        assertThatThrownBy(() -> new GrowingFile(folder, false, PAUSE)).hasMessage(
                folder + ": is a folder; name a file");
        assertThatThrownBy(() -> new GrowingFile(folder, false, Duration.ZERO)).hasMessage(
                "pause must be at least 1 ms, got PT0S");
    }
}
