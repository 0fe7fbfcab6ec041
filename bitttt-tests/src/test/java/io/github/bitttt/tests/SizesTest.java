package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The core stays small enough to be read. Counted are lines with code: neither blank nor comment nor javadoc. */
class SizesTest {
    private static final long CEILING = 9_000;

    @Test
    void coreHasFewerLinesThanItsCeiling() {
        long lines = Stream.of("bitttt-tensor", "bitttt-nn", "bitttt-llama").mapToLong(SizesTest::lines).sum();
        System.out.printf("core: %,d lines of main code, ceiling %,d%n", lines, CEILING);
        assertThat(lines).isBetween(1_000L, CEILING);
    }

    private static boolean isCode(String line) {
        return !line.isEmpty() && !line.startsWith("//") && !line.startsWith("/*") && !line.startsWith("*");
    }

    private static long lines(String module) {
        try (Stream<Path> files = Files.walk(Path.of("..", module, "src", "main", "java"))) {
            List<Path> sources = files.filter(file -> file.toString().endsWith(".java")).toList();
            long lines = 0;
            for (Path source : sources) {
                lines += Files.readAllLines(source).stream().map(String::strip).filter(SizesTest::isCode).count();
            }
            return lines;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
