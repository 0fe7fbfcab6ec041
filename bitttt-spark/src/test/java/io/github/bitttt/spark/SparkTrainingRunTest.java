package io.github.bitttt.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.train.TrainingException;
import io.github.bitttt.train.TrainingOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
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
        SparkTrainingOptions diLoCo = SparkTrainingOptions.diLoCo(OPTIONS, 2, 5).withCheckpointEvery(2);
        return List.of(SparkTrainingOptions.synchronous(OPTIONS, 2).withCheckpointEvery(2), diLoCo,
                diLoCo.withInner(SparkTrainingOptions.Inner.AVERAGE));
    }

    /** Stopped in its fourth round, it goes on after the second, the last that has a checkpoint. */
    @ParameterizedTest
    @MethodSource("modes")
    void aResumedRunEqualsAnUninterruptedOne(SparkTrainingOptions options, @TempDir Path folder) throws IOException {
        Path whole = folder.resolve("whole");
        List<Double> losses = new ArrayList<>();
        try (SparkTrainingRun run = SparkTrainingRun.start(whole, TinyStories.model(1), tokenizer, windows, options)) {
            run.run(round -> losses.add(round.loss()));
        }
        assertThat(losses).hasSize((int) options.rounds());
        assertThat(losses.getLast()).isLessThan(losses.getFirst() - 0.3);
        Path stopped = folder.resolve("stopped");
        Consumer<RoundResult> stop = round -> {
            if (round.round() == 3) {
                throw new IllegalStateException("stop");
            }
        };
        try (SparkTrainingRun run = SparkTrainingRun.start(stopped, TinyStories.model(1), tokenizer, windows,
                options)) {
            assertThatThrownBy(() -> run.run(stop)).hasMessage("stop");
        }
        assertThat(SparkTrainingRun.options(stopped)).isEqualTo(options);
        try (SparkTrainingRun run = SparkTrainingRun.resume(stopped, windows)) {
            assertThat(run.trainer().steps()).isEqualTo(2L * options.localSteps());
            run.run(round -> assertThat(round.loss()).isEqualTo(losses.get((int) round.round() - 1)));
        }
        for (String file : List.of("model.safetensors", "training/spark.safetensors")) {
            assertThat(stopped.resolve(file)).hasSameBinaryContentAs(whole.resolve(file));
        }
        try (Session session = Model.load(stopped).newSession()) {
            assertThat(session.feed(new int[]{1, 2, 3})).doesNotContain(Float.NaN);
        }
    }

    @Test
    void namesWhatIsWrong(@TempDir Path folder) throws IOException {
        assertThatIOException().isThrownBy(() -> SparkTrainingRun.resume(folder, windows))
                .withMessage(folder + ": there is no Spark run to go on with; training/spark.safetensors is missing");
        Path out = folder.resolve("run");
        SparkTrainingRun
                .start(out, TinyStories.model(1), tokenizer, windows, SparkTrainingOptions.diLoCo(OPTIONS, 2, 5))
                .close();
        assertThatIOException()
                .isThrownBy(
                        () -> SparkTrainingRun.start(out, TinyStories.model(1), tokenizer, windows, modes().getFirst()))
                .withMessage(out + ": exists already; choose another folder or remove it first");
        assertThatIOException().isThrownBy(() -> SparkTrainingRun.resume(out, windows.limit(5)))
                .withMessageContaining("this run began with other windows (").withMessageContaining("now 5 windows");
        SparkTrainingOptions four = SparkTrainingOptions.diLoCo(OPTIONS, 4, 5);
        assertThatIllegalArgumentException().isThrownBy(() -> new SparkTrainer(TinyStories.model(1), windows, four))
                .withMessage("workers train at once, and local[2] runs at most 2 tasks at once, got 4 workers");
    }

    /** Whether a worker found it in its local steps or the driver in a gradient: one exception, no repeated round. */
    @ParameterizedTest
    @MethodSource("modes")
    void stopsWhereNumbersEnd(SparkTrainingOptions options) {
        Checkpoint model = TinyStories.model(1);
        Arrays.fill(model.weights().floats(model.weights().params().getLast()), Float.NaN);
        try (SparkTrainer trainer = new SparkTrainer(model, windows, options)) {
            assertThatThrownBy(trainer::round).isInstanceOf(TrainingException.class)
                    .hasMessageContaining("step 1: loss and gradient norm must be finite");
            assertThat(trainer.steps()).isZero();
        }
    }
}
