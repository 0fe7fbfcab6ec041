package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.train.Trainer;
import io.github.bitttt.train.TrainingGraph;
import io.github.bitttt.train.TrainingOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The same model in PyTorch ({@code src/test/python/torch_training.py}): its loss and gradients, and, with
 * {@code -Dbitttt.torch.speed=THREADS}, its training speed on this machine beside ours. Needs a Python with torch:
 * {@code -Dbitttt.python=PATH}, or {@code python3} on the path.
 */
@EnabledIf(value = "torchIsThere", disabledReason = "no Python with torch and numpy; set -Dbitttt.python to one")
class TorchTrainingTest {
    private static final String PYTHON = System.getProperty("bitttt.python", "python3");
    private static final String SCRIPT = "src/test/python/torch_training.py";
    private static final int STEPS = 10;

    static boolean torchIsThere() {
        try {
            return new ProcessBuilder(PYTHON, "-c", "import torch, numpy").redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
        } catch (IOException | InterruptedException e) {
            return false;
        }
    }

    private static JsonNode torch(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(PYTHON, SCRIPT));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String out = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).isZero();
        return new ObjectMapper().readTree(out);
    }

    @ParameterizedTest
    @ValueSource(strings = {"default-float", "default-int8"})
    void lossAndGradients(String name) throws Exception {
        GoldenFixture golden = GoldenFixture.load(name);
        JsonNode torch = torch("check", Path.of("src/test/resources/golden", name).toString());
        try (TrainingGraph graph = TrainingGraph.training(golden.model(), 1, golden.inputs().length)) {
            graph.load(golden.weights());
            assertThat(torch.get("loss").doubleValue()).isCloseTo(graph.step(golden.inputs(), golden.targets()),
                    offset(2e-4));
            for (Param param : golden.model().params()) {
                float[] gradient = new float[param.length()];
                graph.gradient(param, gradient);
                double squares = 0;
                for (float value : gradient) {
                    squares += (double) value * value;
                }
                assertThat(torch.get("gradient_norms").get(param.path()).doubleValue()).as(param.path())
                        .isCloseTo(Math.sqrt(squares), offset(2e-3 * Math.sqrt(squares) + 1e-6));
            }
        }
    }

    /** D 256 x 4, F 1024, V 4096, batch 16 x 256, both from random weights, without and with rounding. */
    @Test
    @EnabledIfSystemProperty(named = "bitttt.torch.speed", matches = "[1-9]\\d*")
    void atLeastAsFast() throws Exception {
        String threads = System.getProperty("bitttt.torch.speed");
        assertThat(System.getenv("OMP_NUM_THREADS")).as("OMP_NUM_THREADS, which sets ND4J's threads")
                .isEqualTo(threads);
        double ours = tokensPerSecond(false);
        String resident = peak(); // of one run: the next one's graph finds memory in pieces
        double torch = torch("speed", "--threads", threads, "--steps", String.valueOf(STEPS)).get("tokens_per_second")
                .doubleValue();
        double rounded = tokensPerSecond(true);
        double torchRounded = torch("speed", "--rounding", "--threads", threads, "--steps", String.valueOf(STEPS))
                .get("tokens_per_second").doubleValue();
        System.out.printf(
                "threads %s: %.0f tokens/s, torch %.0f; with rounding %.0f, torch %.0f; resident at most %s%n",
                threads, ours, torch, rounded, torchRounded, resident);
        assertThat(ours).isGreaterThanOrEqualTo(torch);
        assertThat(rounded).isGreaterThanOrEqualTo(0.88 * ours);
    }

    private static double tokensPerSecond(boolean rounded) throws InterruptedException {
        BitLlama model = new BitLlama(
                BitLlamaConfig.of(4096, 256, 4, 1024).withQuantization(new Quantization(true, rounded)));
        int[] ids = new SplittableRandom(1).ints(200_000, 0, 4096).toArray();
        try (Trainer trainer = new Trainer(model, Weights.init(model.params(), 1), ids,
                TrainingOptions.of(10_000_000).withBatch(16, 256))) {
            double[] rates = new double[STEPS];
            for (int step = -2; step < STEPS; step++) {
                double rate = trainer.step().tokensPerSecond();
                if (step >= 0) {
                    rates[step] = rate;
                }
            }
            Arrays.sort(rates);
            return rates[STEPS / 2];
        }
    }

    private static String peak() throws IOException {
        Path status = Path.of("/proc/self/status");
        return Files.exists(status)
                ? Files.readAllLines(status).stream().filter(line -> line.startsWith("VmHWM:")).findFirst().orElse("?")
                : "unknown";
    }
}
