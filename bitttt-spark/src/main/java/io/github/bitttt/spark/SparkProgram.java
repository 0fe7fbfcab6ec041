package io.github.bitttt.spark;

import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.train.ClusterTraining;
import io.github.bitttt.train.TrainingOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** What stands behind {@code ./bitttt train --spark}, and behind the same program under {@code spark-submit}. */
public final class SparkProgram implements ClusterTraining {
    /** A program without settings, as services are. */
    public SparkProgram() {
        // Nothing to set.
    }

    /** A session whose driver is this process.
     *
     * @param master such as {@code local[2]}; empty for what {@code spark-submit} said
     * @return the session, made or there already */
    public static SparkSession session(String master) {
        SparkSession.Builder builder = SparkSession.builder().appName("bitttt")
                // A round begins when all workers can: ask again soon after an executor was lost.
                .config("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "3s");
        if (!master.isEmpty()) {
            builder.master(master).config("spark.ui.enabled", "false");
        }
        if (master.startsWith("local-cluster")) {
            builder.config("spark.executor.extraClassPath", System.getProperty("java.class.path"))
                    .config("spark.executor.extraJavaOptions", "--sun-misc-unsafe-memory-access=allow")
                    .config("spark.scheduler.minRegisteredResourcesRatio", "1");
        }
        return builder.getOrCreate();
    }

    @Override
    public void start(Cluster cluster, Path out, Checkpoint first, Tokenizer tokenizer, String text,
            TrainingOptions options) throws IOException {
        try (SparkSession spark = session(cluster.master())) {
            int workers = cluster.workers() > 0 ? cluster.workers() : spark.sparkContext().defaultParallelism();
            SparkTrainingOptions onSpark = cluster.localSteps() == 1
                    ? SparkTrainingOptions.synchronous(options, workers)
                    : SparkTrainingOptions.diLoCo(options, workers, cluster.localSteps());
            Dataset<Row> windows = windows(spark, text, tokenizer, options);
            finish(cluster, SparkTrainingRun.start(out, first, tokenizer, windows, onSpark));
        }
    }

    @Override
    public void resume(Cluster cluster, Path out, String text) throws IOException {
        SparkTrainingOptions options = SparkTrainingRun.options(out);
        try (SparkSession spark = session(cluster.master())) {
            Dataset<Row> windows = windows(spark, text, Tokenizer.load(out), options.training());
            finish(cluster, SparkTrainingRun.resume(out, windows));
        }
    }

    private static Dataset<Row> windows(SparkSession spark, String text, Tokenizer tokenizer, TrainingOptions options) {
        List<String> documents = Arrays.asList(text.split(Pattern.quote(Tokenizer.END_OF_TEXT)));
        Dataset<Row> tokens = SparkText.tokens(spark.createDataset(documents, Encoders.STRING()), tokenizer);
        return SparkText.windows(tokens, options.window(), options.orderSeed()).cache();
    }

    private static void finish(Cluster cluster, SparkTrainingRun run) throws IOException {
        try (run) {
            run.run(round -> {
                cluster.messages().println(round);
                cluster.messages().flush();
            });
        }
    }
}
