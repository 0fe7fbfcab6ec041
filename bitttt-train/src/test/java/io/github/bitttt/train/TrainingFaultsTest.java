package io.github.bitttt.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.train.TrainingRun.Texts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What went wrong once: ends of runs, validation, ranges. */
class TrainingFaultsTest {
    private static final String TEXT = ("One day a cat sat on a mat. The cat saw a dog. The dog ran to the cat and they sat.\n"
            + Tokenizer.END_OF_TEXT + "\n").repeat(40);
    private static final TrainingOptions OPTIONS = TrainingOptions.of(12 * 64).withBatch(4, 16).withIntervals(4, 3);
    private static final BitLlamaConfig CONFIG = BitLlamaConfig.of(270, 8, 1, 8);

    private static Tokenizer tokenizer() throws IOException {
        return Tokenizer.parse(BpeTrainer.train(TEXT, 270), "test");
    }

    private static TrainingRun start(Path folder, TrainingOptions options) throws IOException {
        return TrainingRun.start(folder, CONFIG, tokenizer(), new Texts(TEXT, TEXT.substring(0, 2000)), options);
    }

    private static final TrainingListener SILENT = new TrainingListener() {
    };

    private static void assertSameEnd(Path run, Path whole) throws IOException {
        for (String file : List.of("model.safetensors", "training/state.safetensors")) {
            assertThat(run.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
        }
        assertThat(losses(run)).isEqualTo(losses(whole));
    }

    private static List<String> losses(Path run) throws IOException {
        return Files.readAllLines(run.resolve("training/steps.csv")).stream()
                .map(line -> line.substring(0, line.lastIndexOf(','))).toList();
    }

    /** Interrupted in a step, before a validation (after step 4), before a checkpoint (after step 3): the state is saved. */
    @ParameterizedTest(name = "after step {0}")
    @ValueSource(ints = {1, 3, 4, 12})
    void anInterruptEndsARunAndKeepsItsState(int step, @TempDir Path folder) throws Exception {
        try (TrainingRun run = start(folder.resolve("whole"), OPTIONS)) {
            run.run(SILENT);
        }
        Path stopped = folder.resolve("stopped");
        try (TrainingRun run = start(stopped, OPTIONS)) {
            assertThatExceptionOfType(InterruptedException.class).isThrownBy(() -> run.run(new TrainingListener() {
                @Override
                public void step(StepResult result) {
                    if (result.step() == step) {
                        Thread.currentThread().interrupt();
                    }
                }
            }));
            assertThat(Thread.interrupted()).isFalse();
        }
        try (TrainingRun run = TrainingRun.resume(stopped, new Texts(TEXT, TEXT.substring(0, 2000)))) {
            assertThat(run.trainer().steps()).isEqualTo(step);
            run.run(SILENT);
        }
        assertSameEnd(stopped, folder.resolve("whole"));
    }

    @Test
    void aListenerEndsARun(@TempDir Path folder) throws Exception {
        try (TrainingRun run = start(folder.resolve("whole"), OPTIONS)) {
            run.run(SILENT);
        }
        Path stopped = folder.resolve("stopped");
        try (TrainingRun run = start(stopped, OPTIONS)) {
            run.run(new TrainingListener() {
                @Override
                public void step(StepResult result) {
                    if (result.step() == 5) {
                        run.stop();
                    }
                }
            });
            assertThat(run.trainer().steps()).isEqualTo(5);
            assertThat(run.finished()).isFalse();
        }
        try (TrainingRun run = TrainingRun.resume(stopped, new Texts(TEXT, TEXT.substring(0, 2000)))) {
            assertThat(run.trainer().steps()).isEqualTo(5);
            run.run(SILENT);
        }
        assertSameEnd(stopped, folder.resolve("whole"));
    }

    /** A text that notes what is read of it. */
    private record Noted(TrainingText text, Set<Long> read) implements TrainingText {
        @Override
        public long length() {
            return text.length();
        }

        @Override
        public int id(long position) {
            read.add(position);
            return text.id(position);
        }

        @Override
        public boolean counts(long position) {
            return text.counts(position);
        }
    }

    @Test
    void aValidationReadsSomeTokensEvenlyFromItsText() throws Exception {
        BitLlama model = new BitLlama(CONFIG);
        int[] ids = tokenizer().encode(TEXT.repeat(5));
        try (Trainer trainer = new Trainer(model, Weights.init(model.params(), 1), ids, OPTIONS.withMicroBatch(2))) {
            double all = trainer.evaluate(ids);
            assertThat(trainer.evaluate(TrainingText.of(ids), ids.length + 16L)).isEqualTo(all);
            Noted noted = new Noted(TrainingText.of(ids), new TreeSet<>());
            double some = trainer.evaluate(noted, 10 * 16);
            assertThat(noted.read().size()).isBetween(10 * 16, 10 * 17);
            for (int tenth = 0; tenth < 10; tenth++) {
                long from = (long) ids.length * tenth / 10;
                long to = (long) ids.length * (tenth + 1) / 10 + 16;
                assertThat(noted.read().stream().filter(at -> at >= from && at < to).count())
                        .isGreaterThanOrEqualTo(16);
            }
            assertThat(some).isCloseTo(all, offset(0.2)).isNotEqualTo(all);
            assertThat(trainer.evaluate(noted, 1)).isFinite();
        }
    }

    /** Prompts that are longer than the sample's windows must not give 0 / 0. */
    @Test
    void aSampleWithoutTargetsIsNoNumber() throws Exception {
        BitLlama model = new BitLlama(CONFIG);
        int[] ids = tokenizer().encode(TEXT);
        boolean[] last = new boolean[ids.length];
        last[ids.length - 1] = true;
        try (Trainer trainer = new Trainer(model, Weights.init(model.params(), 1), ids, OPTIONS)) {
            TrainingText text = TrainingText.of(ids, last);
            assertThat(trainer.evaluate(text, 16)).isEqualTo(trainer.evaluate(text)).isFinite();
        }
    }

    static Stream<Arguments> texts() {
        String end = Tokenizer.END_OF_TEXT;
        return Stream.of(
                Arguments.of("documents", ("a short story" + end + "\n").repeat(20),
                        end + "\na short story" + end + "\n"),
                Arguments.of("lines", "a line of text\n".repeat(20), "\na line of text\n"),
                Arguments.of("one document that ends", "some words ".repeat(20) + end + "\n",
                        " words " + end + "\n"),
                Arguments.of("one word", "0123456789", "9"), Arguments.of("characters of two halves",
                        "\uD83D\uDE00".repeat(11), "\uD83D\uDE00".repeat(2)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("texts")
    void theLastTenthIsTheValidation(String name, String text, String validation) {
        Texts texts = Texts.lastTenth(text, TextFormat.PLAIN);
        assertThat(texts.validation()).isEqualTo(validation);
        assertThat(texts.training() + texts.validation()).isEqualTo(text);
    }

    @Test
    void linesAreNotCut() {
        String line = "{\"text\": \"a\"}\n";
        assertThat(Texts.lastTenth(line.repeat(20), TextFormat.JSON_LINES).validation().strip().lines()).hasSize(1);
        assertThat(Texts.lastTenth(line.repeat(2), TextFormat.JSON_LINES).validation()).isEqualTo("\n" + line);
        assertThat(Texts.lastTenth(line, TextFormat.JSON_LINES).validation()).isEmpty();
    }

    @Test
    void aValidationTextThatIsTooShortIsRefusedAtTheStart(@TempDir Path folder) throws IOException {
        Tokenizer words = tokenizer();
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> TrainingRun.start(folder.resolve("run"), CONFIG, words, new Texts(TEXT, "a"), OPTIONS))
                .withMessageStartingWith(
                        "a validation text needs at least 2 tokens, and one that counts after the first");
        assertThat(folder.resolve("run")).doesNotExist();
    }

    static Stream<Arguments> ranges() {
        WindowOptions windows = WindowOptions.DEFAULT;
        return Stream.of(refused(() -> windows.withBatch(0, 1), "batch must be 1 to 1048576, got 0"),
                refused(() -> windows.withBatch(1, -1), "window must be 1 to 1048576, got -1"),
                refused(() -> windows.withBatch(1, 1 << 30), "window must be 1 to 1048576, got 1073741824"),
                refused(() -> windows.withCarry(0), "carry must be 1 to 1048576, got 0"),
                refused(() -> windows.withMicroBatch(0), "micro-batch must be 1 to 1048576, got 0"),
                refused(() -> windows.withRepeats(1.5), "repeats must be in [0.0, 1.0], got 1.5"),
                refused(() -> DescentOptions.DEFAULT.withPeakRate(0), "learning rate must be in (0.0, 1.0], got 0.0"),
                refused(() -> DescentOptions.DEFAULT.withPeakRate(Double.NaN),
                        "learning rate must be in (0.0, 1.0], got NaN"),
                refused(() -> DescentOptions.DEFAULT.withAverage(1), "average must be in [0.0, 1.0), got 1.0"),
                refused(() -> DescentOptions.DEFAULT.withWeightDecay(-1),
                        "weight decay must be in [0.0, 1.0], got -1.0"),
                refused(() -> RunOptions.DEFAULT.withIntervals(0, 1), "validation every must be at least 1, got 0"),
                refused(() -> RunOptions.DEFAULT.withIntervals(1, -1), "checkpoint every must be at least 1, got -1"),
                refused(() -> RunOptions.DEFAULT.withPatience(-1), "patience must be at least 0, got -1"),
                refused(() -> RunOptions.DEFAULT.withValidationTokens(0),
                        "validation tokens must be at least 1, got 0"),
                refused(() -> TrainingOptions.of(-5), "tokens must be at least 1, got -5"));
    }

    private static Arguments refused(Supplier<?> made, String message) {
        return Arguments.of(message, made);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("ranges")
    void numbersOutOfRangeAreRefusedWithTheRange(String message, Supplier<?> made) {
        assertThatIllegalArgumentException().isThrownBy(made::get).withMessage(message);
    }

    @Test
    void weightsAreACopyThatNoStepChanges() throws Exception {
        BitLlama model = new BitLlama(CONFIG);
        int[] ids = tokenizer().encode(TEXT);
        try (Trainer trainer = new Trainer(model, Weights.init(model.params(), 1), ids, OPTIONS)) {
            Weights before = trainer.weights();
            Param head = model.params().getLast();
            float[] values = before.floats(head).clone();
            trainer.step();
            assertThat(before.floats(head)).isEqualTo(values);
            assertThat(Arrays.equals(trainer.weights().floats(head), values)).isFalse();
        }
    }

    @Test
    void librariesReadTheVariablesThatWereSetForThem() {
        String name = "BITTTT_TEST_VARIABLE";
        assertThat(NativeEnvironment.get(name)).isEmpty();
        assertThat(NativeEnvironment.setIfAbsent(name, "first")).isTrue();
        NativeEnvironment.setIfAbsent(name, "second");
        assertThat(NativeEnvironment.get(name)).hasValue("first");
        Backend.start();
        assertThat(NativeEnvironment.get("OMP_WAIT_POLICY")).isPresent();
    }
}
