package io.github.bitttt.examples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class QuickStartTest {
    private static final Path SOURCE = Path.of("src/main/java/io/github/bitttt/examples/QuickStart.java");

    @Test
    void tellsAStory() throws IOException {
        PrintStream console = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try {
            QuickStart.main(new String[0]);
        } finally {
            System.setOut(console);
        }
        assertThat(out.toString(StandardCharsets.UTF_8)).startsWith(", there was").hasSizeGreaterThan(200);
    }

    /** The README shows the lines that the test above ran. */
    @Test
    void readmeShowsTheseLines() throws IOException {
        Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("../README.md")));
        assertThat(block.find()).isTrue();
        List<String> shown = block.group(1).lines().map(String::strip).toList();
        List<String> run = Files.readAllLines(SOURCE).stream().map(String::strip)
                .dropWhile(line -> !line.equals(shown.getFirst())).limit(shown.size()).toList();
        assertThat(run).isEqualTo(shown);
    }
}
