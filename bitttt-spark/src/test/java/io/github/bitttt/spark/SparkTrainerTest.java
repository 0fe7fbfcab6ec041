package io.github.bitttt.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.train.AdamW;
import io.github.bitttt.train.Trainer;
import io.github.bitttt.train.TrainingGraph;
import io.github.bitttt.train.TrainingOptions;
import io.github.bitttt.train.TrainingText;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskStart;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Training on two executors in processes of their own. */
class SparkTrainerTest {
    private static final int WINDOW = 32;
    private static final int BATCH = 8;

    private static TestCluster cluster;
    private static Dataset<Row> windows;
    private static int[][] order; // windows in the order of their positions

    @BeforeAll
    static void start() throws IOException {
        cluster = TestCluster.ofProcesses(2);
        SparkSession spark = cluster.spark();
        List<String> few = TinyStories.documents().subList(0, 120);
        windows = SparkText
                .windows(SparkText.tokens(spark.createDataset(few, Encoders.STRING()), TinyStories.tokenizer()),
                        WINDOW, 1)
                .cache();
        order = windows.orderBy("position").collectAsList().stream().map(row -> SparkText.ints(row, 2))
                .toArray(int[][]::new);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    private static TrainingOptions options(int steps) {
        return TrainingOptions.of((long) steps * BATCH * WINDOW).withBatch(BATCH, WINDOW).withRepeats(0);
    }

    private static Trainer trainer(SparkTrainingOptions options) {
        return SparkTraining.trainer(TinyStories.model(1), windows, options);
    }

    private static void finish(Trainer trainer) throws InterruptedException {
        while (!trainer.done()) {
            trainer.step();
        }
    }

    /** A whole text on the cluster: the same weights to the bit, and the same losses, as one process with two micro-batches. */
    @ParameterizedTest(name = "counted share {0}")
    @ValueSource(doubles = {1, 0.6})
    void aTextIsReadAsOneProcessReadsIt(double share) throws Exception {
        int[] ids = TinyStories.tokenizer().encode(TinyStories.text().substring(0, 20_000));
        boolean[] counted = new boolean[ids.length];
        SplittableRandom random = new SplittableRandom(3);
        for (int i = 0; i < counted.length; i++) {
            counted[i] = random.nextDouble() < share;
        }
        TrainingText text = TrainingText.of(ids, counted);
        TrainingOptions options = options(10).withRepeats(0.25).withDropout(0.1).withSeed(4);
        Checkpoint start = TinyStories.model(1);
        try (Trainer spark = SparkTraining.trainer(cluster.spark(), start, text,
                SparkTrainingOptions.synchronous(options, 2));
                Trainer alone = new Trainer(new BitLlama(start.config()), start.weights(), text,
                        options.withMicroBatch(BATCH / 2))) {
            while (!alone.done()) {
                assertThat(spark.step().loss()).isCloseTo(alone.step().loss(), offset(1e-6));
            }
            // Where shares are halves, sums in the same order have the same bits.
            assertThat(distance(spark.weights(), alone.weights())).isLessThanOrEqualTo(share == 1 ? 0 : 1e-4);
            assertThat(spark.evaluate(text, 1000)).isCloseTo(alone.evaluate(text, 1000), offset(1e-5));
        }
    }

    /** One process that trains on the same windows, its batch in pieces whose gradients are averaged. */
    private static Weights alone(TrainingOptions options, int pieces) {
        Checkpoint start = TinyStories.model(1);
        BitLlama model = new BitLlama(start.config());
        SequencedMap<Param, float[]> masters = FlatWeights.zeros(model.params());
        masters.forEach(
                (param, values) -> System.arraycopy(start.weights().floats(param), 0, values, 0, values.length));
        SequencedMap<Param, float[]> mean = FlatWeights.zeros(model.params());
        AdamW optimizer = new AdamW(model.params(), options.descent().weightDecay(),
                options.descent().clip());
        int rows = BATCH / pieces;
        try (TrainingGraph graph = TrainingGraph.training(model, rows, WINDOW, options.descent().dropout())) {
            for (int step = 0; step < options.steps(); step++) {
                graph.load(Weights.of(masters));
                List<SequencedMap<Param, float[]>> gradients = new ArrayList<>();
                for (int piece = 0; piece < pieces; piece++) {
                    int first = step * BATCH + piece * rows;
                    graph.drop(options.windows().orderSeed(), first);
                    graph.step(tokens(first, rows, 0), tokens(first, rows, 1));
                    SequencedMap<Param, float[]> gradient = FlatWeights.zeros(model.params());
                    gradient.forEach(graph::gradient);
                    gradients.add(gradient);
                }
                mean.forEach((param, values) -> average(param, gradients, values));
                optimizer.step(masters, mean, AdamW.norm(mean), options.rate(step));
            }
        }
        return Weights.of(masters);
    }

    private static int[] tokens(int first, int rows, int shift) {
        int[] tokens = new int[rows * WINDOW];
        for (int i = 0; i < rows; i++) {
            System.arraycopy(order[first + i], shift, tokens, i * WINDOW, WINDOW);
        }
        return tokens;
    }

    private static void average(Param param, List<SequencedMap<Param, float[]>> gradients, float[] into) {
        for (int i = 0; i < into.length; i++) {
            double sum = 0;
            for (SequencedMap<Param, float[]> gradient : gradients) {
                sum += gradient.get(param)[i];
            }
            into[i] = (float) (sum / gradients.size());
        }
    }

    /** Distance of two trainings over the way that one of them went. */
    private static double distance(Weights a, Weights b) {
        double apart = 0;
        double way = 0;
        Weights start = TinyStories.model(1).weights();
        for (Param param : a.params()) {
            for (int i = 0; i < param.length(); i++) {
                apart += Math.pow(a.floats(param)[i] - b.floats(param)[i], 2);
                way += Math.pow(a.floats(param)[i] - start.floats(param)[i], 2);
            }
        }
        return Math.sqrt(apart / way);
    }

    /** The second run finds the engines of the first one, whose seed is another. */
    @ParameterizedTest(name = "order seed {0}")
    @ValueSource(longs = {1, 2})
    void synchronousTrainingIsThatOfOneProcess(long orderSeed) throws InterruptedException {
        TrainingOptions options = options(10).withDropout(0.1).withOrderSeed(orderSeed);
        SparkTrainingOptions onSpark = SparkTrainingOptions.synchronous(options, 2);
        Checkpoint model = TinyStories.model(1);
        SparkGradients source = SparkTraining.gradients(model, windows, onSpark);
        try (Trainer trainer = SparkTraining.trainer(new BitLlama(model.config()), model.weights(), source, onSpark)) {
            finish(trainer);
            // The same sums in the same order: the same bits. One sum over the whole batch: the rounding of float32.
            double pieces = distance(trainer.weights(), alone(options, 2));
            double whole = distance(trainer.weights(), alone(options, 1));
            assertThat(pieces).isZero();
            assertThat(whole).isLessThan(1e-4);
            assertThat(source.graphsMade()).isLessThanOrEqualTo(2);
        }
    }

    /** 50 steps between agreements: a loss within 5%, a fiftieth of the bytes by Spark's own count. */
    @Test
    void diLoCoNeedsAFiftiethOfTheBytes() throws TimeoutException, InterruptedException {
        Traffic traffic = Traffic.of(cluster.spark());
        double[] loss = new double[2];
        long[] exchanged = new long[2];
        Traffic.Bytes before = traffic.bytes();
        List<SparkTrainingOptions> runs = List.of(SparkTrainingOptions.synchronous(options(200), 2),
                SparkTrainingOptions.diLoCo(options(200), 2, 50));
        for (int i = 0; i < 2; i++) {
            try (Trainer trainer = trainer(runs.get(i))) {
                long bytes = 0;
                while (!trainer.done()) {
                    trainer.step();
                    bytes += SparkTraining.bytesOfARound(trainer.model(), runs.get(i));
                }
                exchanged[i] = bytes;
                loss[i] = validation(trainer.weights());
            }
            Traffic.Bytes after = traffic.bytes();
            System.out.println("TRAFFIC " + loss[i] + " " + exchanged[i] + " " + after.since(before));
            before = after;
        }
        traffic.stop();
        assertThat(exchanged[0]).isEqualTo(50 * exchanged[1]);
        assertThat(loss[1]).isLessThan(1.05 * loss[0]);
    }

    /** Nats per token on windows that no run of these tests trains on. */
    private static double validation(Weights weights) {
        try (TrainingGraph graph = TrainingGraph.inference(new BitLlama(TinyStories.CONFIG), BATCH, WINDOW)) {
            graph.load(weights);
            double nats = 0;
            for (int i = 1; i <= 8; i++) {
                int first = order.length - i * BATCH;
                float[] all = new float[BATCH * WINDOW];
                Arrays.fill(all, 1);
                nats += graph.loss(tokens(first, BATCH, 0), tokens(first, BATCH, 1), all);
            }
            return nats / 8;
        }
    }

    /** Hears the stages, and kills one executor as soon as a task of a round has started. */
    private static final class Killer extends SparkListener {
        private final AtomicBoolean armed = new AtomicBoolean();
        private final AtomicBoolean killed = new AtomicBoolean();
        private final Set<Integer> repeated = ConcurrentHashMap.newKeySet();

        @Override
        public void onTaskStart(SparkListenerTaskStart event) {
            if (armed.compareAndSet(true, false)) {
                killed.set(TestCluster.executors().findFirst().orElseThrow().destroyForcibly());
            }
        }

        @Override
        public void onStageSubmitted(SparkListenerStageSubmitted event) {
            if (event.stageInfo().attemptNumber() > 0 && event.stageInfo().name().contains("mapPartitions")) {
                repeated.add(event.stageInfo().stageId());
            }
        }
    }

    @Test
    void aLostExecutorRepeatsItsRoundAndNothingElse() throws InterruptedException {
        SparkTrainingOptions options = SparkTrainingOptions.diLoCo(options(80), 2, 20);
        Killer killer = new Killer();
        cluster.spark().sparkContext().addSparkListener(killer);
        Weights disturbed;
        try (Trainer trainer = trainer(options)) {
            trainer.step();
            killer.armed.set(true);
            finish(trainer);
            disturbed = trainer.weights();
        }
        try (Trainer trainer = trainer(options)) {
            finish(trainer);
            for (Param param : disturbed.params()) {
                assertThat(disturbed.floats(param)).containsExactly(trainer.weights().floats(param));
            }
        }
        cluster.spark().sparkContext().removeSparkListener(killer);
        assertThat(killer.killed).isTrue();
        assertThat(killer.repeated).hasSize(1);
    }

    @Test
    void namesWhatIsWrong() {
        assertThatIllegalArgumentException().isThrownBy(() -> SparkTrainingOptions.synchronous(options(1), 3))
                .withMessage("workers must divide the batch, which is that of all workers together: batch 8, got 3");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SparkTrainingOptions.diLoCo(options(1).withCarry(2), 2, 5))
                .withMessageContaining("carried windows: not on Spark, where it must be 1.0, got 2.0");
        TrainingOptions wider = TrainingOptions.of(1000).withBatch(8, 33);
        assertThatIllegalArgumentException().isThrownBy(() -> trainer(SparkTrainingOptions.diLoCo(wider, 2, 5)))
                .withMessageContaining("windows must have 34 ids, one more than the options' window, got 33");
        TrainingOptions larger = TrainingOptions.of(1_000_000).withBatch(100_000, WINDOW);
        assertThatIllegalArgumentException().isThrownBy(() -> trainer(SparkTrainingOptions.diLoCo(larger, 2, 5)))
                .withMessageContaining("a step of all workers takes 100000 windows, got " + order.length);
    }
}
