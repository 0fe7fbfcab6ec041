package io.github.bitttt.spark.example;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.spark.SparkModel;
import io.github.bitttt.spark.SparkText;
import io.github.bitttt.spark.SparkTraining;
import io.github.bitttt.spark.SparkTrainingOptions;
import io.github.bitttt.train.Trainer;
import io.github.bitttt.train.TrainingOptions;
import java.io.IOException;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/** All of bitttt-spark on one text: windows, a model trained on two workers, stories and their perplexity by SQL. */
public final class SparkQuickStart {
    private SparkQuickStart() {
    }

    /** Runs it.
     *
     * @param arguments a text with end tokens between its documents
     * @throws IOException          if the model cannot be read
     * @throws InterruptedException if the thread is interrupted */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        try (SparkSession spark = SparkSession.builder().appName("bitttt").getOrCreate()) {
            run(spark, arguments[0]);
        }
    }

    /** The lines of a notebook: README shows them. */
    static void run(SparkSession spark, String path) throws IOException, InterruptedException {
        Zoo.Entry entry = Zoo.load(Zoo.DEFAULT);
        SparkModel model = SparkModel.broadcast(spark, entry);
        model.register();
        SparkText.documents(spark, path).toDF("text").createOrReplaceTempView("stories");
        spark.sql("select bitttt_generate('Once upon a time', '{\"max_new_tokens\": 30}') story").show(false);
        spark.sql("select exp(sum(e.nats) / sum(e.tokens)) perplexity from "
                + "(select bitttt_evaluate(text) e from stories)").show();

        Dataset<Row> tokens = SparkText.tokens(SparkText.documents(spark, path), entry.tokenizer());
        Dataset<Row> windows = SparkText.windows(tokens, 64, 1).cache();
        BitLlamaConfig config = BitLlamaConfig.of(entry.tokenizer().vocabSize(), 32, 2, 64);
        Checkpoint first = new Checkpoint(config, Weights.init(new BitLlama(config).params(), 1), Map.of());
        TrainingOptions options = TrainingOptions.of(20 * 8 * 64).withBatch(8, 64);
        try (Trainer trainer = SparkTraining.trainer(first, windows, SparkTrainingOptions.diLoCo(options, 2, 10))) {
            while (!trainer.done()) {
                System.out.println(trainer.step());
            }
        }
    }
}
