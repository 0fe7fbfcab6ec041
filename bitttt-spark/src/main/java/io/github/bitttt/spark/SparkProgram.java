package io.github.bitttt.spark;

import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.train.ClusterTraining;
import io.github.bitttt.train.TrainingData;
import io.github.bitttt.train.TrainingOptions;
import io.github.bitttt.train.TrainingRun;
import io.github.bitttt.train.WindowOptions;
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
    private SparkSession spark;

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
    public TrainingRun start(Cluster cluster, Path out, Checkpoint first, Tokenizer tokenizer, TrainingData data,
            TrainingOptions options) throws IOException {
        spark = session(cluster.master());
        int workers = cluster.workers() > 0 ? cluster.workers() : spark.sparkContext().defaultParallelism();
        SparkTrainingOptions onSpark = cluster.localSteps() == 1
                ? SparkTrainingOptions.synchronous(options, workers)
                : SparkTrainingOptions.diLoCo(options, workers, cluster.localSteps());
        return TrainingRun.start(out, first, tokenizer, data, options, SparkTraining.workplace(spark, onSpark));
    }

    @Override
    public TrainingRun resume(Cluster cluster, Path out, TrainingData data) throws IOException {
        spark = session(cluster.master());
        return EarlierSparkRun.isIn(out) && data instanceof TrainingRun.Texts texts
                ? SparkTraining.resume(out,
                        windows(texts.training(), Tokenizer.load(out), EarlierSparkRun.options(out)))
                : SparkTraining.resume(spark, out, data);
    }

    /** What earlier releases made of a text. */
    private Dataset<Row> windows(String text, Tokenizer tokenizer, WindowOptions options) {
        List<String> documents = Arrays.asList(text.split(Pattern.quote(Tokenizer.END_OF_TEXT)));
        Dataset<Row> tokens = SparkText.tokens(spark.createDataset(documents, Encoders.STRING()), tokenizer);
        return SparkText.windows(tokens, options.window(), options.orderSeed()).cache();
    }

    @Override
    public void close() {
        if (spark != null) {
            spark.stop();
        }
    }
}
