package io.github.bitttt.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Kills a training process as {@code kill -9} does, in the middle of a step and in the middle of a save. */
class KilledRunTest {
    private static final String TEXT = ("One day a cat sat on a mat. The cat saw a dog. The dog ran to the cat and they sat.\n"
            + Tokenizer.END_OF_TEXT + "\n").repeat(40);
    // Wide, so that a save takes long enough to be hit.
    private static final BitLlamaConfig CONFIG = BitLlamaConfig.of(270, 256, 2, 512);
    private static final TrainingOptions OPTIONS = TrainingOptions.of(30 * 64).withBatch(4, 16).withMicroBatch(2)
            .withCarry(3).withAverage(0.9).withIntervals(5, 3);

    /** The process that is killed: begins a run in a folder, or goes on with it. */
    static final class Child {
        private Child() {
        }

        public static void main(String[] arguments) throws Exception {
            Path folder = Path.of(arguments[0]);
            TrainingRun.Texts texts = new TrainingRun.Texts(TEXT, TEXT.substring(0, 2000));
            try (TrainingRun run = Files.exists(folder)
                    ? TrainingRun.resume(folder, texts)
                    : TrainingRun.start(folder, CONFIG, Tokenizer.parse(BpeTrainer.train(TEXT, 270), "test"), texts,
                            OPTIONS)) {
                run.run(new TrainingListener() {
                    @Override
                    public void step(StepResult result) {
                        System.out.println("step " + result.step());
                    }
                });
            }
        }
    }

    private static Process child(Path folder) throws IOException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-Xmx512m", "-ea",
                "-cp", System.getProperty("java.class.path"), Child.class.getName(), folder.toString())
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
    }

    private static BufferedReader output(Process process) {
        return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    private static void finish(Path folder) throws Exception {
        Process process = child(folder);
        assertThat(output(process).lines()).last().isEqualTo("step 30");
        assertThat(process.waitFor()).isZero();
    }

    private static void kill(Process process) throws InterruptedException {
        process.destroyForcibly();
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).isNotZero();
    }

    @Test
    @Timeout(300)
    void aRunKilledInAStepAndInASaveEqualsAnUninterruptedOne(@TempDir Path temporary) throws Exception {
        Path whole = temporary.resolve("whole");
        finish(whole);
        Path killed = temporary.resolve("killed");
        killInAStep(killed);
        killInASave(killed);
        finish(killed);
        for (String file : List.of("model.safetensors", "training/state.safetensors")) {
            assertThat(killed.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
        }
        assertThat(losses(killed)).hasSize(31).isEqualTo(losses(whole));
        assertThat(unfinished(killed)).as("what the kill left").isEmpty();
    }

    /** After its fifth step was told, the process is in the sixth. */
    private static void killInAStep(Path folder) throws Exception {
        Process process = child(folder);
        assertThat(output(process).lines().anyMatch("step 5"::equals)).isTrue();
        kill(process);
    }

    private static void killInASave(Path folder) throws Exception {
        for (int attempt = 1; attempt <= 5; attempt++) {
            Process process = child(folder);
            while (process.isAlive() && unfinished(folder).isEmpty()) {
                Thread.onSpinWait();
            }
            kill(process);
            if (!unfinished(folder).isEmpty()) {
                return;
            }
        }
        throw new AssertionError("no kill in 5 came while a save was under way");
    }

    /** Files that a writer has begun and not renamed. */
    private static List<Path> unfinished(Path folder) throws IOException {
        try (Stream<Path> model = Files.list(folder); Stream<Path> training = Files.list(folder.resolve("training"))) {
            return Stream.concat(model, training).filter(path -> path.toString().endsWith(".new")).toList();
        }
    }

    private static List<String> losses(Path run) throws IOException {
        return Files.readAllLines(run.resolve("training/steps.csv")).stream()
                .map(line -> line.substring(0, line.lastIndexOf(','))).toList();
    }
}
