package io.github.bitttt.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
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
import org.junit.jupiter.params.provider.ValueSource;

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
    @ParameterizedTest(name = "micro-batch {0}, carry {1}, average {2}, dropout {3}")
    @CsvSource({"4, 1, 0, 0", "2, 3, 0.9, 0.2", "1, 2, 0, 0"})
    void aResumedRunEqualsAnUninterruptedOne(int microBatch, int carry, double average, double dropout,
            @TempDir Path folder)
            throws Exception {
        TrainingOptions options = OPTIONS.withMicroBatch(microBatch).withCarry(carry).withAverage(average)
                .withDropout(dropout);
        BitLlamaConfig config = BitLlamaConfig.of(270, 16, 2, 24);
        TrainingRun.Texts texts = new TrainingRun.Texts(TEXT, TEXT.substring(0, 2000));
        try (TrainingRun run = TrainingRun.start(folder.resolve("whole"), config, tokenizer(), texts, options)) {
            run.run(new TrainingListener() {
            });
        }
        Path stopped = folder.resolve("stopped");
        try (TrainingRun run = TrainingRun.start(stopped, config, tokenizer(), texts, options)) {
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

    /** The split law: two windows of 8 with the memory carried over are one window of 16. */
    @Test
    void carriedWindowsEqualOneLongWindow() throws Exception {
        BitLlama model = new BitLlama(BitLlamaConfig.of(270, 16, 2, 24));
        Weights start = Weights.init(model.params(), 1);
        int[] ids = tokenizer().encode(TEXT);
        TrainingOptions whole = OPTIONS.withBatch(2, 16);
        try (Trainer one = new Trainer(model, start, ids, whole);
                Trainer two = new Trainer(model, start, ids, whole.withBatch(2, 8).withCarry(2));
                Trainer apart = new Trainer(model, start, ids, whole.withBatch(2, 8))) {
            double loss = one.evaluate(ids);
            assertThat(two.evaluate(ids)).isCloseTo(loss, offset(1e-5));
            assertThat(Math.abs(apart.evaluate(ids) - loss)).isGreaterThan(1e-4);
        }
    }

    @ParameterizedTest(name = "dropout {0}")
    @ValueSource(doubles = {0, 0.3})
    void piecesOfABatchSumUpToItsGradient(double dropout) throws Exception {
        BitLlama model = new BitLlama(BitLlamaConfig.of(270, 16, 2, 24));
        Weights start = Weights.init(model.params(), 1);
        int[] ids = tokenizer().encode(TEXT);
        try (Trainer whole = new Trainer(model, start, ids, OPTIONS.withDropout(dropout));
                Trainer pieces = new Trainer(model, start, ids, OPTIONS.withDropout(dropout).withMicroBatch(1))) {
            for (int step = 0; step < 3; step++) {
                StepResult expected = whole.step();
                StepResult result = pieces.step();
                assertThat(result.loss()).isCloseTo(expected.loss(), offset(1e-5));
                assertThat(result.gradientNorm()).isCloseTo(expected.gradientNorm(),
                        offset(1e-4 * expected.gradientNorm()));
            }
        }
    }

    @Test
    void theRunningMeanByHand() {
        Param gain = Param.vector("g", 1, 0);
        SequencedMap<Param, float[]> masters = new LinkedHashMap<>(Map.of(gain, new float[]{1}));
        RunningMean mean = new RunningMean(masters, 0.25);
        masters.get(gain)[0] = 2;
        mean.add(masters, 1); // the weight of the past is the smaller of 2/11 and 0.25
        assertThat(mean.means().get(gain)[0]).isCloseTo(1 + 9 / 11f, offset(1e-6f));
        mean.add(masters, 8); // the smaller of 9/18 and 0.25
        assertThat(mean.means().get(gain)[0]).isCloseTo(2 - 0.25f * 2 / 11, offset(1e-6f));
    }

    @Test
    void theSavedModelIsTheRunningMean(@TempDir Path folder) throws Exception {
        BitLlamaConfig config = BitLlamaConfig.of(270, 8, 1, 8);
        TrainingRun.Texts texts = new TrainingRun.Texts(TEXT, TEXT);
        TrainingOptions options = OPTIONS.withIntervals(12, 12);
        try (TrainingRun run = TrainingRun.start(folder.resolve("run"), config, tokenizer(), texts,
                options.withAverage(0.9))) {
            double best = run.run(new TrainingListener() {
            });
            Weights saved = Checkpoint.load(folder.resolve("run")).weights();
            Param embedding = run.trainer().model().params().getFirst();
            assertThat(saved.floats(embedding)).isEqualTo(run.trainer().weights().floats(embedding))
                    .isNotEqualTo(run.trainer().masters().get(embedding));
            try (Trainer fresh = new Trainer(run.trainer().model(), saved, tokenizer().encode(TEXT), OPTIONS)) {
                assertThat(fresh.evaluate(tokenizer().encode(TEXT))).isEqualTo(best);
            }
        }
    }

    @Test
    void promptsAreReadButNotLearned() throws Exception {
        Tokenizer words = tokenizer();
        String lines = """
                {"prompt": "One day", "completion": " a cat sat"}

                {"text": "The dog ran"}
                """;
        TrainingText text = TextFormat.JSON_LINES.tokens(lines, words);
        int prompt = words.encode("One day").length;
        int rest = words.encode(" a cat sat").length + words.encode("The dog ran").length;
        assertThat(text)
                .hasToString("TrainingText[" + (prompt + rest + 3) + " tokens, " + (rest + 2) + " of them targets]");
        assertThat(TextFormat.JSON_LINES.words(lines))
                .isEqualTo("<|endoftext|>One day a cat sat<|endoftext|>The dog ran");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TextFormat.JSON_LINES.tokens("{}\n", words))
                .withMessage("line 1 must be an object with a text, or with a prompt and a completion, got {}");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TextFormat.JSON_LINES.tokens("\n{\"text", words))
                .withMessageStartingWith("line 2 must be JSON: ");
    }

    /** What does not count as a target has no gradient: other tokens there, unread by later ones, change nothing. */
    @Test
    void onlyTargetsThatCountMoveTheModel() throws Exception {
        BitLlama model = new BitLlama(BitLlamaConfig.of(270, 8, 1, 8));
        Weights start = Weights.init(model.params(), 1);
        int[] ids = tokenizer().encode(TEXT);
        boolean[] none = new boolean[ids.length];
        boolean[] half = new boolean[ids.length];
        for (int i = 0; i < half.length; i++) {
            half[i] = i % 2 == 0;
        }
        try (Trainer idle = new Trainer(model, start, TrainingText.of(ids, none), OPTIONS.withWeightDecay(0));
                Trainer masked = new Trainer(model, start, TrainingText.of(ids, half), OPTIONS.withMicroBatch(1));
                Trainer whole = new Trainer(model, start, ids, OPTIONS)) {
            StepResult result = idle.step();
            assertThat(result.loss()).isZero();
            assertThat(result.gradientNorm()).isZero();
            Param head = model.params().getLast();
            assertThat(idle.weights().floats(head)).isEqualTo(start.floats(head));
            assertThat(masked.step().loss()).isNotCloseTo(whole.step().loss(), offset(1e-4));
            double all = whole.evaluate(ids);
            for (int i = 0; i < half.length; i++) {
                none[i] = !half[i];
            }
            double some = whole.evaluate(TrainingText.of(ids, half)) * TrainingText.of(ids, half).targets();
            double others = whole.evaluate(TrainingText.of(ids, none)) * TrainingText.of(ids, none).targets();
            assertThat((some + others) / (ids.length - 1)).isCloseTo(all, offset(1e-6));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> TrainingText.of(ids, new boolean[1]))
                .withMessage("counted must say yes or no for each of " + ids.length + " tokens, got 1");
    }

    @Test
    void patienceStopsEarlyAndStaysStopped(@TempDir Path folder) throws Exception {
        BitLlamaConfig config = BitLlamaConfig.of(270, 8, 1, 8);
        // Validation on other text gets worse while this one is learned by heart.
        TrainingRun.Texts texts = new TrainingRun.Texts(TEXT, "zq xj kv wy ".repeat(20));
        TrainingOptions options = TrainingOptions.of(400 * 64).withBatch(4, 16).withPeakRate(0.02)
                .withIntervals(2, 1000)
                .withPatience(3).withLabel("short");
        long stopped;
        try (TrainingRun run = TrainingRun.start(folder.resolve("run"), config, tokenizer(), texts, options)) {
            run.run(new TrainingListener() {
            });
            stopped = run.trainer().steps();
            assertThat(run.stoppedEarly()).isTrue();
            assertThat(stopped).isLessThan(200);
        }
        List<String> log = Files.readAllLines(folder.resolve("run/training/log.jsonl"));
        assertThat(log.getFirst()).startsWith("{\"step\":1,\"label\":\"short\",\"tokens\":64,\"loss_nats\":");
        assertThat(log.stream().filter(line -> line.contains("validation_nats")).toList()).hasSize((int) stopped / 2)
                .last().asString().endsWith("\"best\":false}");
        try (TrainingRun run = TrainingRun.resume(folder.resolve("run"), texts)) {
            run.run(new TrainingListener() {
            });
            assertThat(run.trainer().steps()).isEqualTo(stopped);
        }
    }

    @Test
    void aLossThatIsNotFiniteStopsTheRunAndKeepsItsState(@TempDir Path folder) throws Exception {
        BitLlama model = new BitLlama(BitLlamaConfig.of(270, 8, 1, 8));
        Path out = folder.resolve("run");
        TrainingRun.Texts texts = new TrainingRun.Texts(TEXT, "");
        try (TrainingRun run = TrainingRun.start(out, model.config(), tokenizer(), texts,
                OPTIONS.withIntervals(4, 2))) {
            assertThatIllegalStateException().isThrownBy(() -> run.run(new TrainingListener() {
                @Override
                public void step(StepResult result) {
                    if (result.step() == 5) {
                        run.trainer().masters().get(model.params().getLast())[0] = Float.NaN;
                        run.trainer().resumeAt(5);
                    }
                }
            })).isInstanceOf(TrainingException.class)
                    .withMessageStartingWith(
                            "step 6: loss and gradient norm must be finite, got NaN and NaN; last good loss ")
                    .withMessageEndingWith(
                            "; try a lower rate or a longer warm-up; " + out + " keeps the state after step 4");
        }
        assertThat(Files.readAllLines(out.resolve("training/steps.csv"))).hasSize(6);
        try (TrainingRun run = TrainingRun.resume(out, texts)) {
            run.run(new TrainingListener() {
            });
            assertThat(run.finished()).isTrue();
        }
    }

    @Test
    void fineTuningBeginsFromTheMastersOfAModel(@TempDir Path folder) throws Exception {
        BitLlamaConfig config = BitLlamaConfig.of(270, 8, 1, 8);
        TrainingRun.Texts texts = new TrainingRun.Texts(TEXT, "");
        try (TrainingRun run = TrainingRun.start(folder.resolve("first"), config, tokenizer(), texts, OPTIONS)) {
            run.run(new TrainingListener() {
            });
        }
        Checkpoint first = Checkpoint.load(folder.resolve("first"));
        TrainingRun.Texts lines = new TrainingRun.Texts(
                "{\"prompt\": \"The cat\", \"completion\": \" sat.\"}\n".repeat(40),
                "", TextFormat.JSON_LINES);
        try (TrainingRun run = TrainingRun.start(folder.resolve("second"), first, tokenizer(), lines, OPTIONS)) {
            Param head = run.trainer().model().params().getLast();
            assertThat(run.trainer().weights().floats(head)).isEqualTo(first.weights().floats(head));
            assertThat(run.run(new TrainingListener() {
            })).isNaN();
        }
        assertThatIOException()
                .isThrownBy(() -> TrainingRun.resume(folder.resolve("second"),
                        new TrainingRun.Texts(lines.training(), "")))
                .withMessageEndingWith("this run began with texts in format JSON_LINES, got PLAIN");
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
    void windowsDependOnSeedAndPositionOnly() {
        int[] ids = new int[1000];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = i;
        }
        TrainingOptions options = TrainingOptions.of(10_000).withBatch(2, 8).withRepeats(0.5);
        TrainingText text = TrainingText.of(ids);
        WindowOrder all = new WindowOrder(ids.length, options.windows());
        int repeated = 0;
        for (int step = 0; step < 80; step++) {
            TokenBatch batch = all.batch(text, step, 0, 2);
            if (step >= 70) {
                TokenBatch later = new WindowOrder(ids.length, options.windows()).batch(text, step, 0, 2);
                assertThat(later.inputs()).containsExactly(batch.inputs());
            }
            assertThat(batch.targets()[0]).isEqualTo(batch.inputs()[1]);
            repeated += batch.targets()[7] == batch.inputs()[0] + 8 ? 0 : 1;
        }
        assertThat(repeated).isBetween(25, 55);
    }

    /** A stream reads consecutive windows, and its memory is empty exactly where the text breaks. */
    @Test
    void carriedWindowsFollowOneAnother() {
        int[] ids = new int[1000];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = i;
        }
        TrainingOptions options = TrainingOptions.of(10_000).withBatch(4, 8).withCarry(3).withRepeats(0);
        TrainingText text = TrainingText.of(ids);
        WindowOrder windows = new WindowOrder(ids.length, options.windows());
        int[] expected = {-1, -1, -1, -1};
        int begun = 0;
        for (int step = 0; step < 60; step++) {
            TokenBatch batch = windows.batch(text, step, 0, 4);
            if (step >= 5) {
                TokenBatch later = new WindowOrder(ids.length, options.windows()).batch(text, step, 0, 4);
                assertThat(later.inputs()).containsExactly(batch.inputs());
            }
            for (int stream = 0; stream < 4; stream++) {
                int first = batch.inputs()[stream * 8];
                if (WindowOrder.position(options.windows(), step, stream) == 0) {
                    begun++;
                } else if (step > 0) {
                    assertThat(first).isEqualTo(expected[stream]);
                }
                expected[stream] = batch.targets()[stream * 8 + 7];
            }
        }
        assertThat(begun).isEqualTo(80);
    }

    @Test
    void refusesBadInput(@TempDir Path folder) throws IOException {
        BitLlamaConfig config = BitLlamaConfig.of(270, 8, 1, 8);
        BitLlama model = new BitLlama(config);
        Weights start = Weights.init(model.params(), 1);
        assertThatIllegalArgumentException().isThrownBy(() -> new Trainer(model, start, new int[16], OPTIONS))
                .withMessage(
                        "a training text needs more than 16 tokens, one window, got 16; give more text or a smaller window");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Trainer(model, start, new int[48], OPTIONS.withCarry(3)))
                .withMessage("a training text needs more than 48 tokens, the windows over which a memory is carried,"
                        + " got 48; give more text or a smaller window");
        assertThatIllegalArgumentException().isThrownBy(() -> OPTIONS.withMicroBatch(3))
                .withMessage("micro-batch must divide the batch 4, got 3");
        assertThatIllegalArgumentException().isThrownBy(() -> TrainingOptions.of(0))
                .withMessage("tokens must be at least 1, got 0");
        Path there = Files.createDirectory(folder.resolve("there"));
        assertThatIOException()
                .isThrownBy(
                        () -> TrainingRun.start(there, config, tokenizer(), new TrainingRun.Texts(TEXT, ""), OPTIONS))
                .withMessage(there + ": exists already; choose another folder or remove it first");
    }
}
