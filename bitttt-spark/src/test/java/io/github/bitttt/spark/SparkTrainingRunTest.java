package io.github.bitttt.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.train.StepResult;
import io.github.bitttt.train.Trainer;
import io.github.bitttt.train.TrainingException;
import io.github.bitttt.train.TrainingListener;
import io.github.bitttt.train.TrainingOptions;
import io.github.bitttt.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class SparkTrainingRunTest {
    private static final TrainingOptions OPTIONS = TrainingOptions.of(24 * 4 * 16).withBatch(4, 16).withRepeats(0.25);

    private static TestCluster cluster;
    private static Tokenizer tokenizer;
    private static Dataset<Row> windows;

    @BeforeAll
    static void start() throws IOException {
        cluster = TestCluster.local();
        tokenizer = TinyStories.tokenizer();
        // Fewer windows than the run reads, so that it goes over them in a second order.
        Dataset<String> few = cluster.spark().createDataset(TinyStories.documents().subList(0, 3), Encoders.STRING());
        windows = SparkText.windows(SparkText.tokens(few, tokenizer), 16, 1).cache();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    static List<SparkTrainingOptions> modes() {
        SparkTrainingOptions diLoCo = SparkTrainingOptions.diLoCo(OPTIONS.withIntervals(200, 10), 2, 5);
        return List.of(SparkTrainingOptions.synchronous(OPTIONS.withIntervals(200, 2), 2), diLoCo,
                diLoCo.withInner(SparkTrainingOptions.Inner.AVERAGE));
    }

    private static TrainingRun start(Path folder, SparkTrainingOptions options) throws IOException {
        return TrainingRun.start(folder, TinyStories.model(1), tokenizer, SparkTraining.data(windows),
                options.training(), SparkTraining.workplace(windows, options));
    }

    private static TrainingListener listener(Consumer<StepResult> step) {
        return new TrainingListener() {
            @Override
            public void step(StepResult result) {
                step.accept(result);
            }
        };
    }

    /** Stopped in its fourth round, it goes on after the second, the last that has a checkpoint. */
    @ParameterizedTest
    @MethodSource("modes")
    void aResumedRunEqualsAnUninterruptedOne(SparkTrainingOptions options, @TempDir Path folder) throws Exception {
        Path whole = folder.resolve("whole");
        List<Double> losses = new ArrayList<>();
        try (TrainingRun run = start(whole, options)) {
            run.run(listener(step -> losses.add(step.loss())));
        }
        assertThat(losses).hasSize((int) options.rounds());
        assertThat(losses.getLast()).isLessThan(losses.getFirst() - 0.3);
        Path stopped = folder.resolve("stopped");
        try (TrainingRun run = start(stopped, options)) {
            assertThatThrownBy(() -> run.run(listener(step -> {
                if (step.step() == 3L * options.localSteps()) {
                    throw new IllegalStateException("stop");
                }
            }))).hasMessage("stop");
        }
        try (TrainingRun run = SparkTraining.resume(stopped, windows)) {
            assertThat(run.trainer().steps()).isEqualTo(2L * options.localSteps());
            run.run(listener(step -> assertThat(step.loss())
                    .isEqualTo(losses.get(Math.ceilDiv((int) step.step(), options.localSteps()) - 1))));
        }
        for (String file : List.of("model.safetensors", "training/state.safetensors")) {
            assertThat(stopped.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
        }
        assertThat(whole.resolve("training/steps.csv")).content().hasLineCount((int) options.rounds() + 1);
        assertThat(whole.resolve("training/log.jsonl")).content().hasLineCount((int) options.rounds());
        try (Session session = Model.load(stopped).newSession()) {
            assertThat(session.feed(new int[]{1, 2, 3})).doesNotContain(Float.NaN);
        }
    }

    /** A run on a text has validation, and goes on where it was. */
    @Test
    void aTextHasTheRunFolderOfOneProcess(@TempDir Path folder) throws Exception {
        String text = TinyStories.text().substring(0, 8000);
        TrainingRun.Texts texts = new TrainingRun.Texts(text, text.substring(0, 2000));
        SparkTrainingOptions options = SparkTrainingOptions.diLoCo(OPTIONS.withIntervals(8, 10), 2, 5);
        SparkSession spark = cluster.spark();
        Path whole = folder.resolve("whole");
        try (TrainingRun run = TrainingRun.start(whole, TinyStories.model(1), tokenizer, texts, options.training(),
                SparkTraining.workplace(spark, options))) {
            assertThat(run.run(listener(step -> {}))).isLessThan(5.5);
        }
        Path stopped = folder.resolve("stopped");
        try (TrainingRun run = TrainingRun.start(stopped, TinyStories.model(1), tokenizer, texts, options.training(),
                SparkTraining.workplace(spark, options))) {
            run.run(listener(step -> run.stop()));
            assertThat(run.trainer().steps()).isEqualTo(5);
        }
        assertThatIllegalArgumentException().isThrownBy(() -> TrainingRun.resume(stopped, texts))
                .withMessage(stopped + ": this run began on a cluster; go on with it there, by --spark");
        try (TrainingRun run = SparkTraining.resume(spark, stopped, texts)) {
            run.run(listener(step -> {}));
        }
        for (String file : List.of("model.safetensors", "training/state.safetensors")) {
            assertThat(stopped.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
        }
        // Steps 8, 16 and 24 are passed in the rounds that end at 10, 20 and 24.
        assertThat(Files.readAllLines(whole.resolve("training/log.jsonl")).stream()
                .filter(line -> line.contains("validation_nats")).map(line -> line.substring(0, 11)))
                .containsExactly("{\"step\":10,", "{\"step\":20,", "{\"step\":24,");
    }

    @Test
    void namesWhatIsWrong(@TempDir Path folder) throws IOException {
        assertThatIOException().isThrownBy(() -> SparkTraining.resume(folder, windows))
                .withMessage(folder + ": there is no run to go on with; training/state.safetensors is missing");
        Path out = folder.resolve("run");
        start(out, SparkTrainingOptions.diLoCo(OPTIONS, 2, 5)).close();
        assertThatIOException().isThrownBy(() -> start(out, modes().getFirst()))
                .withMessage(out + ": exists already; choose another folder or remove it first");
        assertThatIOException().isThrownBy(() -> SparkTraining.resume(out, windows.limit(5)))
                .withMessageContaining("this run began with another windows (").withMessageContaining("now 5 windows");
        SparkTrainingOptions four = SparkTrainingOptions.diLoCo(OPTIONS, 4, 5);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SparkTraining.trainer(TinyStories.model(1), windows, four))
                .withMessage("workers train at once, and local[2] runs at most 2 tasks at once, got 4 workers");
    }

    /** Whether a worker found it in its local steps or the driver in a gradient: one exception, no repeated round. */
    @ParameterizedTest
    @MethodSource("modes")
    void stopsWhereNumbersEnd(SparkTrainingOptions options) {
        Checkpoint model = TinyStories.model(1);
        Arrays.fill(model.weights().floats(model.weights().params().getLast()), Float.NaN);
        try (Trainer trainer = SparkTraining.trainer(model, windows, options)) {
            assertThatThrownBy(trainer::step).isInstanceOf(TrainingException.class)
                    .hasMessageContaining("step 1: loss and gradient norm must be finite");
            assertThat(trainer.steps()).isZero();
        }
    }
}
