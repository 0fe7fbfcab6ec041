package io.github.bitttt.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.train.ClusterTraining;
import io.github.bitttt.train.TrainingRun;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program {@code train} as a cluster's user starts it, in a process of its own. */
class SubmitTest {
    private static final List<String> SMALL = List.of("--tokens", "2048", "--batch", "4", "--window", "32", "--width",
            "16",
            "--layers", "1", "--vocabulary", "270", "--local-steps", "5");

    private static final String TEXT = ("One day a cat sat on a mat. It saw a dog and ran.\n" + Tokenizer.END_OF_TEXT
            + "\n")
            .repeat(150);

    @TempDir
    private Path folder;

    /** All jars and folders that these tests run with; ours and ND4J's are what an application brings along. */
    private static List<Path> classPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(System.getProperty("path.separator")))
                .map(Path::of).toList();
    }

    private static boolean ofTheApplication(Path entry) {
        String path = entry.toString();
        return Files.isDirectory(entry) || path.contains("bitttt")
                || Stream.of("nd4j", "datavec", "deeplearning4j", "bytedeco", "djl", "picocli",
                        "xchart", "progressbar").anyMatch(path::contains);
    }

    private String jar(Path entry) {
        if (!Files.isDirectory(entry)) {
            return entry.toString();
        }
        Path jar = folder.resolve("jar-" + Math.abs(entry.hashCode()) + ".jar");
        try (OutputStream out = Files.newOutputStream(jar);
                JarOutputStream zip = new JarOutputStream(out);
                Stream<Path> files = Files.walk(entry)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                zip.putNextEntry(new JarEntry(entry.relativize(file).toString().replace('\\', '/')));
                try (InputStream in = Files.newInputStream(file)) {
                    in.transferTo(zip);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return jar.toString();
    }

    private List<String> training() throws IOException {
        Path text = folder.resolve("stories.txt");
        Files.writeString(text,
                ("One day a cat sat on a mat. It saw a dog and ran.\n" + Tokenizer.END_OF_TEXT + "\n").repeat(150));
        List<String> arguments = new ArrayList<>(SMALL);
        arguments.addAll(List.of("--data", text.toString(), "--out", folder.resolve("model").toString()));
        return arguments;
    }

    private String run(List<Path> classPath, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "@" + Path.of("jvm.options").toAbsolutePath(), "--add-modules=jdk.incubator.vector",
                "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-Xmx600m",
                "-Dbitttt.kernels=plain", "-Dlog4j2.configurationFile=io/github/bitttt/spark/log4j2-quiet.properties",
                "-cp",
                String.join(System.getProperty("path.separator"), classPath.stream().map(Path::toString).toList())));
        command.addAll(arguments);
        Path log = folder.resolve("log.txt");
        Process process = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
        boolean ended = process.waitFor(10, TimeUnit.MINUTES);
        process.destroyForcibly();
        String said = Files.readString(log);
        assertThat(ended && process.exitValue() == 0).as(said).isTrue();
        return said;
    }

    /** Our classes are in the application's jars alone, as on a cluster. */
    @Test
    void trainsUnderSparkSubmit() throws Exception {
        List<String> jars = classPath().stream().filter(SubmitTest::ofTheApplication).map(this::jar).toList();
        List<Path> spark = classPath().stream().filter(entry -> !ofTheApplication(entry)).toList();
        List<String> arguments = new ArrayList<>(List.of("org.apache.spark.deploy.SparkSubmit", "--master", "local[2]",
                "--conf",
                "spark.ui.enabled=false", "--class", "io.github.bitttt.cli.Main", "--jars", String.join(",", jars),
                jars.getFirst(), "train", "--spark"));
        arguments.addAll(training());
        String said = run(spark, arguments);
        assertThat(said).contains("step 16, 2,048 tokens").containsPattern("validation loss [0-9.]+ nats per token");
        Path out = folder.resolve("model");
        assertThat(Checkpoint.load(out).metadata()).containsEntry("step", "16");
        // The run is at its end, so going on with it changes nothing.
        int cut = TEXT.indexOf(Tokenizer.END_OF_TEXT, (int) (TEXT.length() * 0.9));
        try (SparkProgram program = new SparkProgram();
                TrainingRun ended = program.resume(new ClusterTraining.Cluster("local[2]", 0, 0), out,
                        new TrainingRun.Texts(TEXT.substring(0, cut), TEXT.substring(cut)))) {
            assertThat(ended.finished()).isTrue();
        }
        assertThat(out.resolve("training/loss.png")).isNotEmptyFile();
    }
}
