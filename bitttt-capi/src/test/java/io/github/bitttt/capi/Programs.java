package io.github.bitttt.capi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.bitttt.llama.zoo.Zoo;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** Programs in other languages: compiled, run, and what they need. What a machine lacks is a reason to skip. */
final class Programs {
    static final Path DIST = Path.of("target", "dist").toAbsolutePath();
    static final Path SOURCES = Path.of("src", "test").toAbsolutePath();
    static final Path LIBRARY = DIST.resolve("libbitttt.so");
    private static final Path WORK = Path.of("target", "callers").toAbsolutePath();
    private static final List<String> MODEL_FILES = List.of("config.json", "model.safetensors", "tokenizer.json",
            "generation_config.json");

    private Programs() {
    }

    /** A program on PATH, or a reason to skip. */
    static String tool(String... names) {
        assumeTrue(Files.exists(LIBRARY), "libbitttt.so was not built: no C compiler, or another operating system");
        Optional<Path> found = Arrays.stream(names).flatMap(name -> Stream.of(System.getenv("PATH")
                .split(File.pathSeparator)).map(folder -> Path.of(folder, name))).filter(Files::isExecutable)
                .findFirst();
        assumeTrue(found.isPresent(), () -> String.join(" or ", names) + " is not on PATH");
        return found.orElseThrow().toString();
    }

    /** Where a test may write.
     *
     * @param name of the file or folder
     * @return its path; the folder above it exists */
    static Path work(String name) throws IOException {
        Files.createDirectories(WORK);
        return WORK.resolve(name);
    }

    /** A folder with models: whole, truncated, wrong-config, no-tokenizer. */
    static Path models(String owner) throws IOException {
        Path folder = work("models-" + owner);
        for (String kind : List.of("whole", "truncated", "wrong-config", "no-tokenizer")) {
            Path model = Files.createDirectories(folder.resolve(kind));
            for (String file : MODEL_FILES) {
                try (InputStream in = Zoo.class.getResourceAsStream(Zoo.DEFAULT + "/" + file)) {
                    Files.copy(in, model.resolve(file), StandardCopyOption.REPLACE_EXISTING);
                }
            }
        }
        Path weights = folder.resolve("truncated").resolve("model.safetensors");
        byte[] whole = Files.readAllBytes(weights);
        Files.write(weights, Arrays.copyOf(whole, whole.length / 2));
        Files.writeString(folder.resolve("wrong-config").resolve("config.json"), "{\"model_type\": 7");
        Files.delete(folder.resolve("no-tokenizer").resolve("tokenizer.json"));
        return folder;
    }

    /** Compiles a C or C++ source against the library. */
    static String compile(String compiler, Path source, String... flags) throws IOException, InterruptedException {
        String program = work(source.getFileName().toString().replace('.', '-')).toString();
        List<String> command = new ArrayList<>(List.of(compiler, "-O1", "-Wall", "-Wextra", "-Werror"));
        command.addAll(List.of(flags));
        command.addAll(List.of("-I" + DIST, source.toString(), "-L" + DIST, "-lbitttt", "-Wl,-rpath," + DIST,
                "-pthread", "-o", program));
        run(Map.of(), command);
        return program;
    }

    /** Runs a program that must end well.
     *
     * @param variables of its environment
     * @param command   program and arguments
     * @return its standard output */
    static String run(Map<String, String> variables, List<String> command) throws IOException, InterruptedException {
        Path output = Files.createTempFile(WORK, "out", ".txt");
        Path errors = Files.createTempFile(WORK, "err", ".txt");
        ProcessBuilder builder = new ProcessBuilder(command).directory(WORK.toFile()).redirectOutput(output.toFile())
                .redirectError(errors.toFile());
        // It shall find the Java of this build, as a user would say it.
        builder.environment().put("BITTTT_JAVA_HOME", System.getProperty("java.home"));
        variables.forEach((name, value) -> {
            if (value.isEmpty()) {
                builder.environment().remove(name);
            } else {
                builder.environment().put(name, value);
            }
        });
        Process process = builder.start();
        boolean ended = process.waitFor(5, TimeUnit.MINUTES);
        if (!ended) {
            process.destroyForcibly().waitFor();
        }
        String said = Files.readString(errors);
        System.out.print(said.lines().filter(line -> !line.contains("incubator")).map(line -> line + "\n")
                .reduce("", String::concat));
        assertThat(ended).as("%s ended in time; it said %s", command, said).isTrue();
        assertThat(process.exitValue()).as("%s; it said %s%s", command, Files.readString(output), said).isZero();
        return Files.readString(output);
    }
}
