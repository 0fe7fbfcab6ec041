package io.github.bitttt.capi;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The library from C. */
class CIT {
    private static final Pattern INCLUDE = Pattern.compile("#include \"(\\w+)\\.");

    private static String program(String name) throws IOException, InterruptedException {
        return Programs.compile(Programs.tool("cc", "gcc", "clang"), Programs.SOURCES.resolve("c").resolve(name),
                "-std=gnu11");
    }

    @Test
    void everyWrongUseIsAnError() throws IOException, InterruptedException {
        assertThat(Programs.run(Map.of(), List.of(program("wrong_uses.c"), Programs.models("c").toString())))
                .isEqualTo("ok\n");
    }

    @Test
    void foreignThreadsAndStacksMayCall() throws IOException, InterruptedException {
        assertThat(Programs.run(Map.of(), List.of(program("threads.c")))).isEqualTo("ok\n");
    }

    @Test
    void aChildThatWasForkedGetsAnError() throws IOException, InterruptedException {
        assertThat(Programs.run(Map.of(), List.of(program("start.c"), "forks"))).isEqualTo("ok\n");
    }

    /** The first line is what went wrong; the second the code of the next call, which may start another Java. */
    @ParameterizedTest
    @CsvSource({
            "options, -XX:NoSuchFlag=1, Java could not start, 8",
            "options, -Xmx1k, 'Java could not start: Error occurred during initialization of VM', 8",
            "home, /no/such/folder, java_home must be the home of a Java 25 or newer, 0"})
    void aStartThatFailsIsExplained(String way, String detail, String words, String next)
            throws IOException, InterruptedException {
        List<String> lines = Programs.run(Map.of(), List.of(program("start.c"), way, detail)).lines().toList();
        assertThat(lines).hasSize(2);
        assertThat(lines.get(0)).startsWith("8 ").contains(words);
        assertThat(lines.get(1)).isEqualTo(next);
    }

    @Test
    void anOldJavaIsExplained() throws IOException, InterruptedException {
        Path old = Files.createDirectories(Programs.work("old-java"));
        Files.writeString(old.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"17.0.2\"\n");
        assertThat(Programs.run(Map.of("BITTTT_JAVA_HOME", old.toString()), List.of(program("start.c"))))
                .isEqualTo("8 BITTTT_JAVA_HOME must be the home of a Java 25 or newer, got " + old + ": Java 17\n");
        // Named by a variable of everybody's it is passed over.
        assertThat(Programs.run(
                Map.of("BITTTT_JAVA_HOME", "", "JAVA_HOME", old.toString(), "PATH",
                        Path.of(System.getProperty("java.home"), "bin").toString()),
                List.of(program("start.c")))).isEqualTo("0 \n");
    }

    // LD_PRELOAD and Java's options are divided at blanks, which this project's own path may have.
    @Test
    void aMissingJarIsExplained(@TempDir Path alone) throws IOException, InterruptedException {
        String program = program("start.c");
        Files.copy(Programs.LIBRARY, alone.resolve("libbitttt.so"), StandardCopyOption.REPLACE_EXISTING);
        assertThat(Programs.run(Map.of("LD_PRELOAD", alone.resolve("libbitttt.so").toString()), List.of(program)))
                .isEqualTo("8 " + alone.toRealPath()
                        + "/bitttt.jar: not there; bitttt.jar must lie beside libbitttt\n");
    }

    @Test
    void classesComeFromTheArchive(@TempDir Path folder) throws IOException, InterruptedException {
        Path log = folder.resolve("classes.log");
        assertThat(Programs.run(Map.of("BITTTT_JAVA_OPTIONS", "-Xlog:class+load:file=" + log),
                List.of(program("start.c")))).isEqualTo("0 \n");
        assertThat(Files.readString(log))
                .containsPattern("io.github.bitttt.capi.Bridge source: shared objects file");
    }

    /** Also where time and place of the jar are others, as after an installation. */
    @Test
    void aCopyOfTheFolderWorksAndUsesTheArchive(@TempDir Path copy) throws IOException, InterruptedException {
        String program = program("start.c");
        for (String file : List.of("libbitttt.so", "bitttt.jar", "bitttt.jsa")) {
            Files.copy(Programs.DIST.resolve(file), copy.resolve(file), StandardCopyOption.REPLACE_EXISTING);
        }
        Path log = copy.resolve("classes.log");
        assertThat(Programs.run(Map.of("LD_PRELOAD", copy.resolve("libbitttt.so").toString(), "BITTTT_JAVA_OPTIONS",
                "-Xlog:class+load:file=" + log), List.of(program))).isEqualTo("0 \n");
        assertThat(Files.readString(log))
                .containsPattern("io.github.bitttt.capi.Bridge source: shared objects file");
    }

    @ParameterizedTest
    @ValueSource(strings = {"C", "POSIX", ""})
    void namesBeyondAsciiAreTakenInAnyLocale(String locale, @TempDir Path folder)
            throws IOException, InterruptedException {
        assertThat(Programs.run(Map.of("LC_ALL", locale, "LC_CTYPE", "", "LANG", ""),
                List.of(program("locale.c"), folder.toString()))).isEqualTo("ok\n");
    }

    @Test
    void anUnknownKernelIsNamed() throws IOException, InterruptedException {
        assertThat(Programs.run(Map.of("BITTTT_JAVA_OPTIONS", "-Dbitttt.kernels=none"),
                List.of(program("kernels.c")))).startsWith("99 -Dbitttt.kernels must be naive, plain, vector");
    }

    /** Each file of the library includes what it stands on, and none of what stands on it. */
    @Test
    void theSourcesHaveNoCircle() throws IOException {
        Map<String, Set<String>> includes = new TreeMap<>();
        try (Stream<Path> files = Files.list(Path.of("src", "main", "c"))) {
            for (Path file : files.toList()) {
                String name = file.getFileName().toString();
                String unit = name.substring(0, name.lastIndexOf('.'));
                Set<String> others = includes.computeIfAbsent(unit, _ -> new TreeSet<>());
                INCLUDE.matcher(Files.readString(file)).results().map(found -> found.group(1))
                        // bitttt.h holds the types and codes of all, and stands on nothing.
                        .filter(other -> !other.equals(unit) && !other.equals("bitttt")).forEach(others::add);
            }
        }
        assertThat(includes).containsKeys("find", "java", "error").containsEntry("error", Set.of());
        while (includes.values().removeIf(Set::isEmpty)) {
            includes.values().forEach(others -> others.retainAll(includes.keySet()));
        }
        assertThat(includes).as("files that include each other in a circle").isEmpty();
    }

    @Test
    void aJavaThatRunsAlreadyIsUsed() throws IOException, InterruptedException {
        Programs.tool("cc", "gcc", "clang");
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        assertThat(Programs.run(Map.of(),
                List.of(java, "--enable-native-access=ALL-UNNAMED",
                        Programs.SOURCES.resolve("embedded").resolve("InAnotherJava.java").toString(),
                        Programs.LIBRARY.toString())))
                .startsWith("0 bitttt ").contains("Java " + Runtime.version());
    }

    @Test
    void theExampleTellsAStory() throws IOException, InterruptedException {
        Path story = Programs.DIST.resolve("examples").resolve("story.c");
        String program = Programs.compile(Programs.tool("cc", "gcc", "clang"), story, "-std=c11");
        assertThat(Programs.run(Map.of(), List.of(program, "One day"))).startsWith("One day").hasSizeGreaterThan(200);
    }
}
