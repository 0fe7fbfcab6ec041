package io.github.bitttt.spark.example;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.spark.SparkText;
import io.github.bitttt.spark.SparkTraining;
import io.github.bitttt.spark.SparkTrainingOptions.Inner;
import io.github.bitttt.spark.SparkTrainingOptions;
import io.github.bitttt.spark.Traffic;
import io.github.bitttt.train.Trainer;
import io.github.bitttt.train.TrainingGraph;
import io.github.bitttt.train.TrainingOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Measures what agreement costs and what it is worth: the same windows and budget, synchronously and by DiLoCo.
 *
 * <p>Prints a line of Markdown for each way: loss on windows that were not trained on, and bytes by Spark's own count.
 */
public final class Scaling {
    private static final int WINDOW = 64;
    private static final int BATCH = 16;
    private static final int VALIDATION = 20; // batches kept out of training

    private final SparkSession spark;
    private final Checkpoint first;
    private final Dataset<Row> windows;
    private final int[][] validation;

    private Scaling(SparkSession spark, String path) throws IOException {
        this.spark = spark;
        Dataset<String> documents = SparkText.documents(spark, path);
        Tokenizer tokenizer = Tokenizer
                .parse(BpeTrainer.train(String.join(Tokenizer.END_OF_TEXT, documents.takeAsList(300)),
                        512), "the new tokenizer");
        BitLlamaConfig config = BitLlamaConfig.of(512, 64, 2, 176);
        first = new Checkpoint(config, Weights.init(new BitLlama(config).params(), 1), Map.of());
        Dataset<Row> all = SparkText.windows(SparkText.tokens(documents, tokenizer), WINDOW, 1).cache();
        long kept = all.count() - VALIDATION * BATCH;
        windows = all.where("position < " + kept);
        validation = all.where("position >= " + kept).orderBy("position").collectAsList().stream()
                .map(row -> row.<Integer>getList(2).stream().mapToInt(Integer::intValue).toArray())
                .toArray(int[][]::new);
    }

    /** Runs it.
     *
     * @param arguments a text, workers, steps
     * @throws IOException          if the text cannot be read
     * @throws TimeoutException     if Spark does not tell its counts
     * @throws InterruptedException if the thread is interrupted */
    public static void main(String[] arguments) throws IOException, TimeoutException, InterruptedException {
        int workers = Integer.parseInt(arguments[1]);
        int steps = Integer.parseInt(arguments[2]);
        TrainingOptions options = TrainingOptions.of((long) steps * BATCH * WINDOW).withBatch(BATCH, WINDOW)
                .withRepeats(0);
        List<SparkTrainingOptions> ways = new ArrayList<>(List.of(SparkTrainingOptions.synchronous(options, workers)));
        for (int localSteps : new int[]{10, 50, 100}) {
            ways.add(SparkTrainingOptions.diLoCo(options, workers, localSteps));
        }
        ways.add(SparkTrainingOptions.diLoCo(options, workers, 50).withInner(Inner.AVERAGE));
        ways.add(SparkTrainingOptions.diLoCo(options, workers, 50).withOuter(1, 0));
        try (SparkSession spark = SparkSession.builder().appName("bitttt-scaling").getOrCreate()) {
            Scaling scaling = new Scaling(spark, arguments[0]);
            System.out.println(
                    "| workers | mode | H | inner | outer rate, momentum | validation nats | rounds | bytes a round, formula "
                            + "| by Spark's count | of which broadcast, shuffled, results |\n|---|---|---|---|---|---|---|---|---|---|");
            for (SparkTrainingOptions way : ways) {
                System.out.println(scaling.measure(way));
            }
        }
    }

    private String measure(SparkTrainingOptions way) throws TimeoutException, InterruptedException {
        Traffic traffic = Traffic.of(spark);
        try (Trainer trainer = SparkTraining.trainer(first, windows, way)) {
            Traffic.Bytes before = traffic.bytes();
            long rounds = 0;
            while (!trainer.done()) {
                trainer.step();
                rounds++;
            }
            Traffic.Bytes found = traffic.bytes().since(before);
            return String.format(Locale.ROOT,
                    "| %d | %s | %d | %s | %.1f, %.1f | %.4f | %d | %,d | %,d | %,d, %,d, %,d |",
                    way.workers(), way.mode(), way.localSteps(), way.inner(), way.outerRate(), way.outerMomentum(),
                    nats(trainer.weights()), rounds, SparkTraining.bytesOfARound(trainer.model(), way),
                    found.total() / rounds,
                    found.broadcast() / rounds,
                    found.shuffled() / rounds, found.results() / rounds);
        } finally {
            traffic.stop();
        }
    }

    private double nats(Weights weights) {
        try (TrainingGraph graph = TrainingGraph.inference(new BitLlama(first.config()), BATCH, WINDOW)) {
            graph.load(weights);
            float[] all = new float[BATCH * WINDOW];
            Arrays.fill(all, 1);
            double nats = 0;
            for (int batch = 0; batch < VALIDATION; batch++) {
                nats += graph.loss(tokens(batch, 0), tokens(batch, 1), all);
            }
            return nats / VALIDATION;
        }
    }

    private int[] tokens(int batch, int shift) {
        int[] tokens = new int[BATCH * WINDOW];
        for (int i = 0; i < BATCH; i++) {
            System.arraycopy(validation[batch * BATCH + i], shift, tokens, i * WINDOW, WINDOW);
        }
        return tokens;
    }
}
