package io.github.bitttt.llama.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextFileTest {
    @TempDir
    private Path folder;

    private static List<String> lines(byte[] bytes) throws IOException {
        List<String> read = new ArrayList<>();
        try (TextFile.Lines lines = TextFile.Lines.of(new ByteArrayInputStream(bytes), "standard input")) {
            for (String line; (line = lines.next()) != null;) {
                read.add(line);
            }
        }
        return read;
    }

    @Test
    void readsUtf8WithoutItsMark() throws IOException {
        Path file = folder.resolve("a.txt");
        for (String text : List.of("", "a", "\uFEFF", "\uFEFFcafé 😀\n", "a\uFEFFb", "\uFEFF\uFEFFa",
                "\uFEFF" + "😀é\r\n".repeat(10_000))) {
            Files.writeString(file, text);
            assertThat(TextFile.read(file)).isEqualTo(text.startsWith("\uFEFF") ? text.substring(1) : text);
            assertThat(lines(text.getBytes(StandardCharsets.UTF_8)))
                    .isEqualTo(TextFile.read(file).lines().toList());
        }
    }

    @Test
    void readsWhatComesFromAPipe() throws Exception {
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        Process writer = new ProcessBuilder("sh", "-c", "printf 'one\\ntwo' > " + pipe).start();
        assertThat(TextFile.read(pipe)).isEqualTo("one\ntwo");
        writer.waitFor();
    }

    @ParameterizedTest
    @CsvSource({"'ab\ncaf\u00E9 bar', 2, 7, E9", "'\u00FF', 1, 1, FF", "'\n\n\nx\u00C3', 4, 5, C3",
            "'\u00ED\u00A0\u0080', 1, 1, ED",
            "'\u00C0\u0080', 1, 1, C0"})
    void saysWhereAFileIsNotUtf8(String latin, int line, int at, String code) throws IOException {
        Path file = folder.resolve("latin1.txt");
        Files.write(file, latin.getBytes(StandardCharsets.ISO_8859_1));
        String message = ": must be UTF-8 text, got the byte 0x" + code + " in line " + line + ", byte " + at
                + " of the file; save it as UTF-8 first";
        assertThatIOException().isThrownBy(() -> TextFile.read(file)).withMessage(file + message);
        assertThatIOException().isThrownBy(() -> lines(Files.readAllBytes(file)))
                .withMessage("standard input" + message);
    }

    @Test
    void saysWhereALongFileIsNotUtf8() throws IOException {
        Path file = folder.resolve("long.txt");
        Files.write(file, ("é".repeat(100_000) + "\n").repeat(3).getBytes(StandardCharsets.UTF_8));
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(500_000);
            bytes.write(0xE9);
        }
        assertThatIOException().isThrownBy(() -> TextFile.read(file))
                .withMessageContaining("0xE9 in line 3, byte 500001 of the file");
        Files.write(file, "hello".getBytes(StandardCharsets.UTF_16));
        assertThatIOException().isThrownBy(() -> TextFile.read(file)).withMessage(file
                + ": must be UTF-8 text, got the byte 0xFE in line 1, byte 1 of the file; save it as UTF-8 first, it looks like UTF-16");
    }

    @Test
    void namesFoldersAndWhatIsNotThere() throws IOException {
        assertThatIOException().isThrownBy(() -> TextFile.read(folder))
                .withMessage(folder + ": is a folder; name a file");
        Path missing = folder.resolve("missing.txt");
        assertThatExceptionOfType(NoSuchFileException.class).isThrownBy(() -> TextFile.read(missing))
                .withMessage(missing.toString());
        assertThatIOException().isThrownBy(() -> TextFile.Lines.of(folder))
                .withMessage(folder + ": is a folder; name a file");
    }

    /** A file with a hole takes no room on the disk. */
    @Test
    void refusesWhatDoesNotFit() throws IOException {
        Path big = folder.resolve("big");
        try (RandomAccessFile file = new RandomAccessFile(big.toFile(), "rw")) {
            file.setLength(3L << 30);
        }
        assertThatIOException().isThrownBy(() -> TextFile.read(big))
                .withMessageStartingWith(big + ": its 3221225472 bytes as text do not fit into the ")
                .withMessageEndingWith("; give it more by -Xmx, or take a part");
    }

    @Test
    void anEndlessLineIsRefused() throws IOException {
        InputStream endless = new InputStream() {
            private long read;

            @Override
            public int read() {
                return read++ == 1 ? '\n' : 'a';
            }
        };
        try (TextFile.Lines lines = TextFile.Lines.of(endless, "standard input")) {
            assertThat(lines.next()).isEqualTo("a");
            assertThatIOException().isThrownBy(lines::next)
                    .withMessage("standard input: a line must have at most 16777216 bytes, line 2 has more");
        }
    }

    @ParameterizedTest
    @CsvSource({"a.jsonl, true", "A.JSONL, true", "a.ndjson, true", "b/c.NdJson, true", "a.json, false", "jsonl, false",
            "a.txt, false"})
    void namesTellJsonLines(Path file, boolean is) {
        assertThat(TextFile.isJsonLines(file)).isEqualTo(is);
    }
}
