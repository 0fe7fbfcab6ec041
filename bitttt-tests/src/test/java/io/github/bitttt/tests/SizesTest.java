package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each module stays small enough to be read. Counted are lines with code: neither blank nor comment nor javadoc. */
class SizesTest {
    /** Module -> the most lines that it may have: what it has, and room for what is planned. Raising one is a decision with a reason. */
    private static final Map<String, Long> CEILINGS = Map.of("tensor", 4_600L, "nn", 2_600L, "llama", 10_000L, "train",
            4_000L,
            "viz", 900L, "server", 1_700L, "cli", 3_200L, "capi", 1_400L, "spark", 2_100L, "examples", 600L);

    static List<String> modules() {
        return CEILINGS.keySet().stream().sorted().toList();
    }

    @ParameterizedTest
    @MethodSource("modules")
    void aModuleHasFewerLinesThanItsCeiling(String module) {
        long lines = lines("bitttt-" + module);
        System.out.printf("%s: %,d lines of main code, ceiling %,d%n", module, lines, CEILINGS.get(module));
        assertThat(lines).isBetween(1L, CEILINGS.get(module));
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
