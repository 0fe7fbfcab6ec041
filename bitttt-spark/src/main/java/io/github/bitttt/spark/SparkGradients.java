package io.github.bitttt.spark;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.CheckpointException;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.train.AdamW;
import io.github.bitttt.train.GradientSource;
import io.github.bitttt.train.Measurement;
import io.github.bitttt.train.TrainingGraph;
import io.github.bitttt.train.TrainingText;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.BiConsumer;
import org.apache.spark.HashPartitioner;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.rdd.RDD;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.LongAccumulator;
import scala.Function1;
import scala.Tuple2;
import scala.collection.Iterator;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag$;
import scala.reflect.ClassTag;

/**
 * Gradients of the executors of a Spark application, in rounds.
 *
 * <p>A round broadcasts the weights, runs one task for each worker in barrier mode, and combines what they found in the order of
 * the workers. Tasks depend on nothing but the round and their windows: a lost task or executor makes Spark repeat the round, and
 * the result is the same to the bit, provided that executors run the same number of OpenMP threads.
 */
final class SparkGradients implements GradientSource {
    private final SparkTrainingOptions options;
    private final Plan plan;
    private final JavaSparkContext spark;
    private final JavaRDD<Windows> shards;
    private final LongAccumulator graphs;
    private final List<Param> params;
    private final AdamW shared; // what the workers' optimizers have in common
    private TrainingGraph measuring; // made when something is measured first

    /** @param shards one of each worker, in its partition */
    SparkGradients(JavaSparkContext spark, JavaRDD<Windows> shards, String config, SparkTrainingOptions options) {
        this.options = options;
        this.spark = spark;
        plan = Plan.of(config, options);
        params = model().params();
        shared = new AdamW(params, plan.descent().weightDecay(), plan.descent().clip());
        if (spark.master().matches("local(\\[.*])?") && options.workers() > spark.defaultParallelism()) {
            throw new IllegalArgumentException("workers train at once, and " + spark.master() + " runs at most "
                    + spark.defaultParallelism() + " tasks at once, got " + options.workers() + " workers");
        }
        graphs = spark.sc().longAccumulator("graphs of " + plan);
        this.shards = shards.persist(StorageLevel.MEMORY_AND_DISK());
        // In barrier mode as the rounds are, so that each shard comes to lie where its task will run.
        barrier(this.shards, CountShards.INSTANCE, Integer.class).count();
    }

    private BitLlama model() {
        try {
            return new BitLlama(Checkpoint.config(plan.config()));
        } catch (CheckpointException e) {
            throw new AssertionError("the config was written by a checkpoint", e);
        }
    }

    private static <T, R> RDD<R> barrier(JavaRDD<T> rdd, Function1<Iterator<T>, Iterator<R>> task, Class<R> type) {
        ClassTag<R> tag = ClassTag$.MODULE$.apply(type);
        return rdd.rdd().barrier().mapPartitions(task, true, tag);
    }

    @Override
    public int stepsAtOnce() {
        return options.localSteps();
    }

    private boolean synchronous() {
        return options.mode() == SparkTrainingOptions.Mode.SYNCHRONOUS;
    }

    private boolean sharesMoments() {
        return !synchronous() && options.inner() == SparkTrainingOptions.Inner.AVERAGE;
    }

    /** Numbers that a worker begins with and brings back. */
    private int size() {
        return FlatWeights.size(params, sharesMoments() ? 3 : 1);
    }

    @Override
    public double gradient(SequencedMap<Param, float[]> masters, long step, SequencedMap<Param, float[]> into)
            throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("interrupted after step " + step);
        }
        int steps = (int) Math.min(options.localSteps(), options.training().steps() - step);
        double[] rates = new double[steps];
        Arrays.setAll(rates, i -> options.training().rate(step + i));
        float[] start = new float[size()];
        int weights = FlatWeights.size(params, 1);
        FlatWeights.write(masters, start, 0);
        if (sharesMoments()) {
            Moments.write(shared, masters.sequencedKeySet(), start, weights);
        }
        Broadcast<float[]> broadcast = spark.broadcast(start);
        try {
            Round round = new Round(plan, synchronous(), step, rates, broadcast, graphs);
            List<Round.Slice> slices = slices(round);
            float[] mean = round.join(slices);
            FlatWeights.read(mean, 0, into);
            double loss = slices.getFirst().losses().stream().flatMapToDouble(Arrays::stream).average().orElseThrow();
            if (sharesMoments() && Double.isFinite(loss)) {
                Moments.read(mean, weights, shared, masters.sequencedKeySet());
            }
            return loss;
        } finally {
            broadcast.destroy();
        }
    }

    private List<Round.Slice> slices(Round round) {
        ClassTag<Integer> key = ClassTag$.MODULE$.apply(Integer.class);
        ClassTag<Round.Piece> value = ClassTag$.MODULE$.apply(Round.Piece.class);
        @SuppressWarnings({"unchecked", "rawtypes"})
        Class<Tuple2<Integer, Round.Piece>> pair = (Class) Tuple2.class;
        List<Round.Slice> slices = new ArrayList<>(
                new JavaPairRDD<>(barrier(shards, new Pieces(round), pair), key, value)
                        .groupByKey(new HashPartitioner(options.workers()))
                        .map(group -> Round.mean(group._1(), group._2())).collect());
        slices.sort((a, b) -> Integer.compare(a.index(), b.index()));
        return slices;
    }

    /** On the driver: a validation text is read in a moment beside what was trained since the last. */
    @Override
    public double evaluate(Weights weights, TrainingText text, long tokens) throws InterruptedException {
        if (measuring == null) {
            measuring = TrainingGraph.inference(model(), plan.batch(), plan.windows().window());
        }
        measuring.load(weights);
        return new Measurement(model(), measuring, 1).of(text, tokens);
    }

    @Override
    public void state(BiConsumer<String, float[]> parts) {
        if (sharesMoments()) {
            shared.state(parts);
        }
    }

    /** How many graphs were made by all executors: one in each JVM, unless executors were lost. */
    long graphsMade() {
        return graphs.value();
    }

    @Override
    public void close() {
        shards.unpersist();
        if (measuring != null) {
            measuring.close();
        }
        // Where driver and executor are one process; other executors end with the application.
        Engine.release();
    }

    @Override
    public String toString() {
        return "SparkGradients[" + options.mode() + ", " + options.workers() + " workers]";
    }

    /** The map side of a round.
     *
     * @param round which */
    private record Pieces(Round round)
            implements
                Function1<Iterator<Windows>, Iterator<Tuple2<Integer, Round.Piece>>>,
                Serializable {
        @Override
        public Iterator<Tuple2<Integer, Round.Piece>> apply(Iterator<Windows> own) {
            return CollectionConverters.asScala(round.pieces(CollectionConverters.asJava(own)));
        }
    }

    /** Nothing but a reason to make the shards. */
    private enum CountShards implements Function1<Iterator<Windows>, Iterator<Integer>> {
        INSTANCE;

        @Override
        public Iterator<Integer> apply(Iterator<Windows> own) {
            return CollectionConverters
                    .asScala(List.of(CollectionConverters.asJava(own).next() == null ? 0 : 1).iterator());
        }
    }
}
