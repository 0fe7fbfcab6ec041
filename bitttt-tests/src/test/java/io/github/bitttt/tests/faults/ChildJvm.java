package io.github.bitttt.tests.faults;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A Java of its own with this test's class path: to be killed, starved or shut off. */
final class ChildJvm {
    private static final Duration LONGEST = Duration.ofMinutes(10);

    private final List<String> command = new ArrayList<>();
    private final Map<String, String> environment = new LinkedHashMap<>();

    /** What a child printed, errors included, and its exit code. */
    record Result(int code, String output) {
        /** The output of a child that ended well. */
        String success() {
            if (code != 0) {
                throw new AssertionError("the child ended with code " + code + ":\n" + output);
            }
            return output;
        }
    }

    /** A child with the flags that README.md names.
     *
     * @param flags further options of java */
    ChildJvm(String... flags) {
        command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow", "-Xlog:disable", "-XX:+UseSerialGC", "-ea",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-Dorg.slf4j.simpleLogger.log.ai.djl=error"));
        command.addAll(Arrays.asList(flags));
    }

    /** The same child, run by another command, such as unshare. */
    ChildJvm within(String... outer) {
        command.addAll(0, Arrays.asList(outer));
        return this;
    }

    /** The same child with more in its environment, or less: an empty value takes a variable away. */
    ChildJvm with(Map<String, String> variables) {
        environment.putAll(variables);
        return this;
    }

    /** Starts a main class; its errors go with its output. */
    Process start(Class<?> main, String... arguments) throws IOException {
        List<String> whole = new ArrayList<>(command);
        whole.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        whole.addAll(Arrays.asList(arguments));
        ProcessBuilder builder = new ProcessBuilder(whole).redirectErrorStream(true);
        builder.environment().put("OMP_WAIT_POLICY", "PASSIVE");
        builder.environment().putAll(environment);
        builder.environment().values().removeIf(String::isEmpty);
        return builder.start();
    }

    /** Runs a main class to its end. */
    Result run(Class<?> main, String... arguments) throws IOException, InterruptedException {
        return finish(start(main, arguments));
    }

    /** Waits for a process and reads all that it prints. */
    static Result finish(Process process) throws IOException, InterruptedException {
        try {
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (!process.waitFor(LONGEST.toSeconds(), TimeUnit.SECONDS)) {
                throw new AssertionError("a child did not end within " + LONGEST + ": " + output);
            }
            return new Result(process.exitValue(), output);
        } finally {
            process.destroyForcibly();
        }
    }

    /** Whether a command is there and ends well. */
    static boolean works(String... command) throws InterruptedException {
        try {
            return finish(new ProcessBuilder(command).redirectErrorStream(true).start()).code() == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
