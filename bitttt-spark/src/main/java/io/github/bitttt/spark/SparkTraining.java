package io.github.bitttt.spark;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.train.AdamW;
import io.github.bitttt.train.ClusterTraining;
import io.github.bitttt.train.Optimizer;
import io.github.bitttt.train.Trainer;
import io.github.bitttt.train.TrainingData;
import io.github.bitttt.train.TrainingOptions;
import io.github.bitttt.train.TrainingRun;
import io.github.bitttt.train.TrainingText;
import io.github.bitttt.train.Workplace;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/**
 * Trains a Bit-Llama on the executors of a Spark application: the loop and the run folder are those of one process, the gradients are
 * the executors'.
 *
 * <p>Two kinds of data can be read. A whole text goes to each executor once; all workers together then read the windows that one
 * process would read, so that synchronous training equals it. Windows of {@link SparkText}, for texts that are prepared on the cluster,
 * are dealt out to the workers, and each reads its own.
 *
 * <pre>{@code
 * SparkTrainingOptions options = SparkTrainingOptions.diLoCo(TrainingOptions.of(100_000_000), 8, 50);
 * try (Trainer trainer = SparkTraining.trainer(spark, checkpoint, text, options)) {
 *     while (!trainer.done()) {
 *         System.out.println(trainer.step());
 *     }
 *     Weights trained = trainer.weights();
 * }
 * }</pre>
 */
public final class SparkTraining {
    private static final ObjectMapper JSON = new ObjectMapper();

    private SparkTraining() {
    }

    /** Trains on a text.
     *
     * @param spark   the session
     * @param model   config, and masters to begin with, which are copied
     * @param text    which can be serialized, as those in memory and token files can
     * @param options how to train
     * @return the trainer, before its first step */
    public static Trainer trainer(SparkSession spark, Checkpoint model, TrainingText text,
            SparkTrainingOptions options) {
        return workplace(spark, options).trainer(new BitLlama(model.config()), model.weights(), text,
                options.training());
    }

    /** Trains on windows.
     *
     * @param model   config, and masters to begin with, which are copied
     * @param windows of {@link SparkText}, their size that of the options
     * @param options how to train
     * @return the trainer, before its first step */
    public static Trainer trainer(Checkpoint model, Dataset<Row> windows, SparkTrainingOptions options) {
        return workplace(windows, options).trainer(new BitLlama(model.config()), model.weights(), TrainingText.of(),
                options.training());
    }

    static SparkGradients gradients(Checkpoint model, Dataset<Row> windows, SparkTrainingOptions options) {
        SparkText.check(windows, SparkText.WINDOWS, "windows");
        JavaSparkContext context = JavaSparkContext.fromSparkContext(windows.sparkSession().sparkContext());
        return new SparkGradients(context, Shards.of(windows, options), model.configJson(), options);
    }

    static Trainer trainer(BitLlama model, Weights masters, SparkGradients gradients, SparkTrainingOptions options) {
        Optimizer optimizer = options.mode() == SparkTrainingOptions.Mode.SYNCHRONOUS
                ? new AdamW(model.params(), options.training().descent().weightDecay(),
                        options.training().descent().clip())
                : new OuterStep(FlatWeights.size(model.params(), 1), options);
        return new Trainer(model, masters, options.training(), gradients, optimizer);
    }

    /** Bytes that cross between processes in a round if every worker is one: weights out, changes in, their mean to the driver.
     *
     * @param model   that is trained
     * @param options how
     * @return the same in every round */
    public static long bytesOfARound(BitLlama model, SparkTrainingOptions options) {
        boolean moments = options.mode() == SparkTrainingOptions.Mode.DILOCO
                && options.inner() == SparkTrainingOptions.Inner.AVERAGE;
        return (2L * options.workers() + 1) * Float.BYTES * FlatWeights.size(model.params(), moments ? 3 : 1);
    }

    /** The place to begin a {@link TrainingRun} on a text.
     *
     * @param spark   the session
     * @param options how to train
     * @return for {@link TrainingRun#start} */
    public static Workplace workplace(SparkSession spark, SparkTrainingOptions options) {
        return new OnSpark(options) {
            @Override
            public Trainer trainer(BitLlama model, Weights masters, TrainingText text, TrainingOptions training) {
                JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
                Broadcast<TrainingText> shared = context.broadcast(text);
                JavaRDD<Windows> shards = context
                        .parallelize(IntStream.range(0, options.workers()).boxed().toList(), options.workers())
                        .map(worker -> new TextWindows(worker, shared));
                return SparkTraining.trainer(model, masters,
                        new SparkGradients(context, shards, config(model.config()), options), options);
            }
        };
    }

    /** The place to begin a {@link TrainingRun} on windows.
     *
     * @param windows of {@link SparkText}
     * @param options how to train
     * @return for {@link TrainingRun#start}, with {@link #data} */
    public static Workplace workplace(Dataset<Row> windows, SparkTrainingOptions options) {
        return new OnSpark(options) {
            @Override
            public Trainer trainer(BitLlama model, Weights masters, TrainingText text, TrainingOptions training) {
                Checkpoint checkpoint = new Checkpoint(model.config(), masters, Map.of());
                return SparkTraining.trainer(model, masters, gradients(checkpoint, windows, options), options);
            }
        };
    }

    private static String config(BitLlamaConfig config) {
        return new Checkpoint(config, Weights.init(new BitLlama(config).params(), 0), Map.of()).configJson();
    }

    /** What a run keeps of its cluster. */
    private abstract static class OnSpark implements Workplace {
        private final SparkTrainingOptions options;

        OnSpark(SparkTrainingOptions options) {
            this.options = options;
        }

        @Override
        public Map<String, String> description() {
            ObjectNode values = JSON.valueToTree(options);
            values.remove("training"); // the run keeps it itself
            return Map.of(ClusterTraining.DESCRIPTION, values.toString());
        }
    }

    /** The options of a run that goes on.
     *
     * @param kept     what the run kept, {@link Workplace#description()} among it
     * @param training what it kept of one process's options
     * @return both together
     * @throws IllegalArgumentException if the run is of one process, or what it kept cannot be read */
    public static SparkTrainingOptions options(Map<String, String> kept, TrainingOptions training) {
        String cluster = kept.get(ClusterTraining.DESCRIPTION);
        if (cluster == null) {
            throw new IllegalArgumentException(
                    "this run began in one process; go on with it there, without --spark");
        }
        try {
            ObjectNode values = (ObjectNode) JSON.readTree(cluster);
            values.set("training", JSON.valueToTree(training));
            return JSON.readerFor(SparkTrainingOptions.class)
                    .without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).readValue(values);
        } catch (JsonProcessingException | ClassCastException e) {
            throw new IllegalArgumentException("the run must hold what its cluster needs: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new AssertionError("nothing is read but a text", e);
        }
    }

    /** Goes on with a run on a text.
     *
     * @param spark  the session
     * @param folder of the run
     * @param data   the same as when it began
     * @return the run, as it was at its last checkpoint
     * @throws IOException if there is no run, or it was begun with another text */
    public static TrainingRun resume(SparkSession spark, Path folder, TrainingData data) throws IOException {
        return TrainingRun.resume(folder, data, (kept, training) -> workplace(spark, options(kept, training)));
    }

    /** Goes on with a run on windows.
     *
     * @param folder  of the run
     * @param windows the same as when it began
     * @return the run, as it was at its last checkpoint
     * @throws IOException if there is no run, or it was begun with other windows */
    public static TrainingRun resume(Path folder, Dataset<Row> windows) throws IOException {
        EarlierSparkRun.bringUpToDate(folder);
        return TrainingRun.resume(folder, data(windows),
                (kept, training) -> workplace(windows, options(kept, training)));
    }

    /** Windows as a run's data: there is no validation text among them.
     *
     * @param windows of {@link SparkText}
     * @return known again by their number and a hash, whatever their partitions */
    public static TrainingData data(Dataset<Row> windows) {
        return new TrainingData() {
            @Override
            public TrainingText training(Tokenizer tokenizer) {
                return TrainingText.of(); // the workers have the windows
            }

            @Override
            public TrainingText validation(Tokenizer tokenizer) {
                return TrainingText.of();
            }

            @Override
            public SequencedMap<String, String> identity() {
                Row row = windows.agg(functions.count("*"),
                        functions.bit_xor(functions.xxhash64(functions.col("position"), functions.col("ids")))).first();
                return new LinkedHashMap<>(Map.of("windows", row.getLong(0) + " windows, hash "
                        + (row.isNullAt(1) ? "none" : Long.toHexString(row.getLong(1)))));
            }
        };
    }
}
