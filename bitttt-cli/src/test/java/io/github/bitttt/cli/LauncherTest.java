package io.github.bitttt.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What ./bitttt makes of its surroundings: a copy of it that finds everything built, and a java that prints its arguments. */
class LauncherTest {
    @TempDir
    private Path folder;

    private String run(Map<String, String> environment, String... arguments) throws IOException, InterruptedException {
        assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "the launcher needs bash");
        Path java = folder.resolve("jdk/bin/java");
        Files.createDirectories(java.getParent());
        Files.writeString(folder.resolve("jdk/release"), "JAVA_VERSION=\"25.0.1\"\n");
        Files.writeString(java, "#!/bin/sh\necho LC_ALL=$LC_ALL\nfor a in \"$@\"; do echo \"[$a]\"; done\n");
        assertThat(java.toFile().setExecutable(true)).isTrue();
        Path launcher = Files.copy(Path.of("..", "bitttt"), folder.resolve("bitttt"));
        for (String module : List.of("tensor", "nn", "llama", "train", "viz", "server", "cli")) {
            Files.createDirectories(folder.resolve("bitttt-" + module + "/src/main"));
            Files.createFile(folder.resolve("bitttt-" + module + "/pom.xml"));
        }
        Files.createFile(folder.resolve("pom.xml"));
        Files.createDirectories(folder.resolve("bitttt-cli/target"));
        Files.writeString(folder.resolve("bitttt-cli/target/bitttt.jsa"), "an archive");
        Files.writeString(folder.resolve("bitttt-cli/target/class-path.txt"), "the.jar\n");
        ProcessBuilder builder = new ProcessBuilder("/bin/bash", launcher.toString()).redirectErrorStream(true);
        builder.command().addAll(List.of(arguments));
        builder.environment().clear();
        builder.environment().putAll(environment);
        builder.environment().put("PATH", "/usr/bin:/bin");
        builder.environment().put("BITTTT_JAVA_HOME", folder.resolve("jdk").toString());
        Process process = builder.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    @ParameterizedTest
    @ValueSource(strings = {"C", "POSIX", "", "no_SUCH.locale"})
    void javaGetsALocaleThatHasAllLetters(String locale) throws Exception {
        assertThat(run(Map.of("LC_ALL", locale, "HOME", folder.toString()), "generate")).contains("LC_ALL=C.UTF-8");
    }

    @Test
    void aLocaleThatHasAllLettersIsLeftAlone() throws Exception {
        assertThat(run(Map.of("LC_ALL", "C.utf8", "HOME", folder.toString()), "generate")).contains("LC_ALL=C.utf8");
    }

    @Test
    void runsWithoutAHome() throws Exception {
        assertThat(run(Map.of(), "generate", "--prompt", "a b")).contains("[generate]", "[a b]")
                .contains("[-Xms64m]", "[-XX:+UseSerialGC]");
    }

    @Test
    void whatTheUserSetsIsNotSetTwice() throws Exception {
        String small = run(Map.of("JAVA_OPTIONS", "-Xmx48m -Dx=*"), "generate");
        assertThat(small).contains("[-Xmx48m]", "[-Dx=*]").doesNotContain("-Xms64m");
    }

    @ParameterizedTest
    @ValueSource(strings = {"JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"})
    void anotherCollectorIsNotJoinedByOurs(String variable) throws Exception {
        assertThat(run(Map.of(variable, "-XX:+UseG1GC -Xms8m"), "generate")).doesNotContain("UseSerialGC", "-Xms64m");
    }
}
