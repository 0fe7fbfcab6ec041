package io.github.bitttt.llama.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TrainingTest {
    private static final String TEXT = ("One day a cat sat on a mat. The cat saw a dog. The dog ran to the cat and they sat.\n"
            + Tokenizer.END_OF_TEXT + "\n").repeat(40);
    private static final TrainingOptions OPTIONS = TrainingOptions.of(12 * 64).withBatch(4, 16).withIntervals(4, 3);

    private static Tokenizer tokenizer() throws IOException {
        return Tokenizer.parse(BpeTrainer.train(TEXT, 270), "test");
    }

    @ParameterizedTest
    @CsvSource({"1, 8, 1", "33, 17, 1", "8, 8, 12", "6, 5, 2"})
    void anyShapeTrainsAndRuns(int width, int inner, int layers, @TempDir Path folder) throws Exception {
        BitLlamaConfig config = BitLlamaConfig.of(270, width, layers, inner);
        Path out = folder.resolve("run");
        try (TrainingRun run = TrainingRun.start(out, config, tokenizer(), new TrainingRun.Texts(TEXT, ""), OPTIONS)) {
            run.run(new TrainingListener() {
            });
        }
        Checkpoint checkpoint = Checkpoint.load(out);
        assertThat(checkpoint.metadata()).containsEntry("step", "12");
        try (Session session = Model.load(out).newSession()) {
            assertThat(session.feed(new int[]{1, 2, 3})).doesNotContain(Float.NaN);
        }
    }

    @Test
    void lossFallsAndValidationChoosesTheBest(@TempDir Path folder) throws Exception {
        BitLlamaConfig config = BitLlamaConfig.of(270, 32, 2, 48);
        double[] losses = new double[100];
        TrainingOptions options = TrainingOptions.of(100 * 64).withBatch(4, 16).withIntervals(10, 50);
        try (TrainingRun run = TrainingRun.start(folder.resolve("run"), config, tokenizer(),
                new TrainingRun.Texts(TEXT, TEXT),
                options)) {
            double best = run.run(new TrainingListener() {
                @Override
                public void step(StepResult result) {
                    losses[(int) result.step() - 1] = result.loss();
                }
            });
            assertThat(best).isLessThan(2);
            Checkpoint saved = Checkpoint.load(folder.resolve("run"));
            assertThat(Double.parseDouble(saved.metadata().get("validation_nats_per_token"))).isEqualTo(best);
        }
        assertThat(losses[0]).isCloseTo(Math.log(270), offset(1.5));
        assertThat(losses[99]).isLessThan(losses[0] / 2);
    }

    /** A run that stops after some steps and goes on gives the same masters, moments and log as one that does not stop. */
    @Test
    void aResumedRunEqualsAnUninterruptedOne(@TempDir Path folder) throws Exception {
        BitLlamaConfig config = BitLlamaConfig.of(270, 16, 2, 24);
        TrainingRun.Texts texts = new TrainingRun.Texts(TEXT, TEXT.substring(0, 2000));
        try (TrainingRun run = TrainingRun.start(folder.resolve("whole"), config, tokenizer(), texts, OPTIONS)) {
            run.run(new TrainingListener() {
            });
        }
        Path stopped = folder.resolve("stopped");
        try (TrainingRun run = TrainingRun.start(stopped, config, tokenizer(), texts, OPTIONS)) {
            run.run(new TrainingListener() {
                @Override
                public void step(StepResult result) {
                    if (result.step() == 8) {
                        throw new Stop();
                    }
                }
            });
        } catch (Stop expected) {
            assertThat(expected).hasNoCause();
        }
        try (TrainingRun run = TrainingRun.resume(stopped, texts)) {
            assertThat(run.trainer().steps()).isEqualTo(6);
            run.run(new TrainingListener() {
            });
        }
        for (String file : List.of("model.safetensors", "training/state.safetensors")) {
            assertThat(stopped.resolve(file)).hasSameBinaryContentAs(folder.resolve("whole").resolve(file));
        }
        assertThat(lossColumns(stopped)).isEqualTo(lossColumns(folder.resolve("whole")));
        assertThatIOException().isThrownBy(() -> TrainingRun.resume(stopped, new TrainingRun.Texts("other", "")))
                .withMessageContaining("this run began with another training text");
        assertThatIOException().isThrownBy(() -> TrainingRun.resume(folder.resolve("none"), texts)).withMessage(
                folder.resolve("none") + ": there is no run to go on with; training/state.safetensors is missing");
    }

    private static final class Stop extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private static List<String> lossColumns(Path run) throws IOException {
        return Files.readAllLines(run.resolve("training/steps.csv")).stream()
                .map(line -> line.substring(0, line.lastIndexOf(','))).toList();
    }

    @Test
    void adamWByHand() {
        Param matrix = Param.ternary("w", 1, 2);
        AdamW adam = new AdamW(List.of(matrix), 0.1, 1);
        SequencedMap<Param, float[]> masters = new LinkedHashMap<>(Map.of(matrix, new float[]{1, -2}));
        SequencedMap<Param, float[]> gradients = new LinkedHashMap<>(Map.of(matrix, new float[]{3, 4}));
        double norm = AdamW.norm(gradients);
        assertThat(norm).isEqualTo(5);
        adam.step(masters, gradients, norm, 0.01);
        // After one step m' = g and v' = g^2, so each moves by the rate against its sign, after the decay.
        assertThat(masters.get(matrix)[0]).isCloseTo((float) (1 * (1 - 0.001) - 0.01), offset(1e-6f));
        assertThat(masters.get(matrix)[1]).isCloseTo((float) (-2 * (1 - 0.001) - 0.01), offset(1e-6f));
    }

    @Test
    void theRateRisesAndFalls() {
        TrainingOptions options = TrainingOptions.of(100 * 4096).withPeakRate(1e-2);
        assertThat(options.steps()).isEqualTo(100);
        assertThat(options.rate(0)).isCloseTo(1e-2 / 3, offset(1e-9));
        assertThat(options.rate(2)).isCloseTo(1e-2, offset(1e-9));
        assertThat(options.rate(99)).isBetween(0.05 * 1e-2, 0.06 * 1e-2);
    }

    @Test
    void windowsDependOnSeedAndPositionOnly() throws InterruptedException {
        int[] ids = new int[1000];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = i;
        }
        TrainingOptions options = TrainingOptions.of(10_000).withBatch(2, 8).withRepeats(0.5);
        try (TokenWindows all = new TokenWindows(ids, options, 0);
                TokenWindows later = new TokenWindows(ids, options, 70)) {
            int repeated = 0;
            for (int step = 0; step < 80; step++) {
                TokenWindows.Batch batch = all.next();
                if (step >= 70) {
                    assertThat(later.next().inputs()).containsExactly(batch.inputs());
                }
                assertThat(batch.targets()[0]).isEqualTo(batch.inputs()[1]);
                repeated += batch.inputs()[0] == batch.inputs()[4] ? 1 : 0;
            }
            assertThat(repeated).isBetween(25, 55);
        }
    }

    @Test
    void refusesBadInput(@TempDir Path folder) throws IOException {
        BitLlamaConfig config = BitLlamaConfig.of(270, 8, 1, 8);
        BitLlama model = new BitLlama(config);
        Weights start = Weights.init(model.params(), 1);
        assertThatIllegalArgumentException().isThrownBy(() -> new Trainer(model, start, new int[16], OPTIONS))
                .withMessage(
                        "a training text needs more than 16 tokens, one window, got 16; give more text or a smaller window");
        assertThatIllegalArgumentException().isThrownBy(() -> TrainingOptions.of(0))
                .withMessage("tokens must be at least 1, got 0");
        Path there = Files.createDirectory(folder.resolve("there"));
        assertThatIOException()
                .isThrownBy(
                        () -> TrainingRun.start(there, config, tokenizer(), new TrainingRun.Texts(TEXT, ""), OPTIONS))
                .withMessage(there + ": exists already; choose another folder or remove it first");
    }
}
