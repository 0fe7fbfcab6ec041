package io.github.bitttt.spark.example;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparkQuickStartTest {
    private static final Path SOURCE = Path.of("src/main/java/io/github/bitttt/spark/example/SparkQuickStart.java");

    @Test
    void tellsMeasuresAndTrains(@TempDir Path folder) throws IOException {
        Path text = folder.resolve("stories.txt");
        Files.writeString(text,
                "One day a cat sat on a mat. It saw a dog and ran to its mother.\n<|endoftext|>\n".repeat(40));
        PrintStream console = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try (SparkSession spark = SparkSession.builder().master("local[2]").config("spark.ui.enabled", "false")
                .config("spark.sql.shuffle.partitions", "2").getOrCreate()) {
            // Spark's show() prints through Scala's console, which took its stream when it was loaded.
            scala.Console.withOut(System.out, () -> {
                try {
                    SparkQuickStart.run(spark, text.toString());
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                return null;
            });
        } finally {
            System.setOut(console);
        }
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("|story", "perplexity|", "step 20, 10,240 tokens");
    }

    /** The README shows the lines that the test above ran. */
    @Test
    void readmeShowsTheseLines() throws IOException {
        Matcher block = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("README.md")));
        assertThat(block.find()).isTrue();
        List<String> shown = block.group(1).lines().map(String::strip).toList();
        List<String> run = Files.readAllLines(SOURCE).stream().map(String::strip)
                .dropWhile(line -> !line.equals(shown.getFirst())).limit(shown.size()).toList();
        assertThat(run).isEqualTo(shown);
    }
}
