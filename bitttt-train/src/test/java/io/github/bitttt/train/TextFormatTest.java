package io.github.bitttt.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextFormatTest {
    @TempDir
    private Path folder;

    @Test
    void jsonLinesAreReadUnderEachOfTheirNames() throws IOException {
        for (String name : new String[]{"a.jsonl", "a.JSONL", "a.ndjson"}) {
            Path file = Files.writeString(folder.resolve(name), "\uFEFF{\"text\": \"one\"}\r\n\n{\"text\": \"two\"}\n");
            TextFormat format = TextFormat.of(file);
            assertThat(format).isEqualTo(TextFormat.JSON_LINES);
            assertThat(format.words(format.read(file))).isEqualTo("<|endoftext|>one<|endoftext|>two");
        }
        assertThat(TextFormat.of(Path.of("a.txt"))).isEqualTo(TextFormat.PLAIN);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
            "{\"text\": \"one\"} {\"text\": \"two\"} | line 2 must be one JSON object and nothing behind it, got {\"text\": \"one\"} {\"text\": \"two\"}",
            "{\"text\": \"one\"}, | line 2 must be JSON: Unexpected character (',' (code 44)):",
            "{\"text\": \"one\"}] | line 2 must be JSON: Unexpected close marker ']'",
            "{\"text\": \"one\"}{} | line 2 must be one JSON object and nothing behind it",
            "{\"text\": \"one\"} 7 | line 2 must be one JSON object and nothing behind it",
            "{\"text\": \"a\", \"text\": \"b\"} | line 2 must be JSON: Duplicate field 'text'",
            "{\"text\": null} | line 2 must be an object with a text, or with a prompt and a completion, got {\"text\": null}",
            "[1] | line 2 must be an object with a text, or with a prompt and a completion, got [1]"})
    void whatALineMustBeIsSaidWithItsNumber(String line, String message) throws IOException {
        Path file = Files.writeString(folder.resolve("two.jsonl"), "{\"text\": \"zero\"}\n" + line + "\n");
        assertThatIOException().isThrownBy(() -> TextFormat.of(file).read(file))
                .withMessageStartingWith(file + ": " + message);
    }
}
