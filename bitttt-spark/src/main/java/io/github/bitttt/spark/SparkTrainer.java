package io.github.bitttt.spark;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.train.AdamW;
import io.github.bitttt.train.TrainingException;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.apache.spark.HashPartitioner;
import org.apache.spark.api.java.JavaPairRDD;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.rdd.RDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.LongAccumulator;
import scala.Function1;
import scala.Tuple2;
import scala.collection.Iterator;
import scala.jdk.javaapi.CollectionConverters;
import scala.reflect.ClassTag$;
import scala.reflect.ClassTag;

/**
 * Trains a Bit-Llama on the executors of a Spark application, in rounds. {@link SparkTrainingRun} adds the folder, checkpoints
 * and resuming.
 *
 * <p>A round broadcasts the weights, runs one task for each worker in barrier mode, and combines what they found in the order of
 * the workers. Tasks depend on nothing but the round and their windows: a lost task or executor makes Spark repeat the round,
 * and the result is the same to the bit. The same windows, options and number of workers give the same weights, provided that
 * executors run the same number of OpenMP threads.
 *
 * <p>For one thread; close it.
 *
 * <pre>{@code
 * SparkTrainingOptions options = SparkTrainingOptions.diLoCo(TrainingOptions.of(100_000_000), 8, 50);
 * try (SparkTrainer trainer = new SparkTrainer(checkpoint, windows, options)) {
 *     while (!trainer.done()) {
 *         System.out.println(trainer.round());
 *     }
 *     Weights trained = trainer.weights();
 * }
 * }</pre>
 */
public final class SparkTrainer implements AutoCloseable {
    private final SparkTrainingOptions options;
    private final Plan plan;
    private final SequencedMap<Param, float[]> masters;
    private final SequencedMap<Param, float[]> gradients;
    private final AdamW optimizer; // of the synchronous mode; otherwise what the workers' optimizers have in common
    private final float[] momentum; // of the agreed weights
    private final JavaSparkContext spark;
    private final JavaRDD<Shard> shards;
    private final LongAccumulator graphs;
    private long step;
    private double lastGoodLoss = Double.NaN;

    /** A run from given weights.
     *
     * @param model   of the model: config, and masters to begin with, which are copied
     * @param windows of {@link SparkText}, their size that of the options
     * @param options how to train */
    public SparkTrainer(Checkpoint model, Dataset<Row> windows, SparkTrainingOptions options) {
        this.options = options;
        plan = Plan.of(model.configJson(), options);
        List<Param> params = new BitLlama(model.config()).params();
        masters = FlatWeights.zeros(params);
        masters.forEach(
                (param, values) -> System.arraycopy(model.weights().floats(param), 0, values, 0, values.length));
        gradients = FlatWeights.zeros(params);
        optimizer = new AdamW(params, options.training().weightDecay(), options.training().clip());
        momentum = new float[FlatWeights.size(params, 1)];
        spark = JavaSparkContext.fromSparkContext(windows.sparkSession().sparkContext());
        if (spark.master().matches("local(\\[.*])?") && options.workers() > spark.defaultParallelism()) {
            throw new IllegalArgumentException("workers train at once, and " + spark.master() + " runs at most "
                    + spark.defaultParallelism() + " tasks at once, got " + options.workers() + " workers");
        }
        graphs = spark.sc().longAccumulator("graphs of " + plan);
        shards = Shards.of(windows, options).persist(StorageLevel.MEMORY_AND_DISK());
        // In barrier mode as the rounds are, so that each shard comes to lie where its task will run.
        barrier(shards, CountShards.INSTANCE, Integer.class).count();
    }

    private static <T, R> RDD<R> barrier(JavaRDD<T> rdd, Function1<Iterator<T>, Iterator<R>> task, Class<R> type) {
        ClassTag<R> tag = ClassTag$.MODULE$.apply(type);
        return rdd.rdd().barrier().mapPartitions(task, true, tag);
    }

    /** One round.
     *
     * @return what it was like
     * @throws TrainingException if the loss or a gradient is not finite; the weights are those before the round */
    public RoundResult round() {
        long started = System.nanoTime();
        int steps = (int) Math.min(options.localSteps(), options.training().steps() - step);
        double[] rates = new double[steps];
        Arrays.setAll(rates, i -> options.training().rate(step + i));
        float[] start = start();
        Broadcast<float[]> broadcast = spark.broadcast(start);
        double loss;
        try {
            loss = agree(new Round(plan, synchronous(), step, rates, broadcast, graphs), rates[0]);
        } finally {
            broadcast.destroy();
        }
        step += steps;
        optimizer.resumeAt(step);
        Duration elapsed = Duration.ofNanos(System.nanoTime() - started);
        long bytes = (2L * options.workers() + 1) * Float.BYTES * start.length;
        long tokens = steps * options.training().tokensPerStep();
        return new RoundResult(Math.ceilDiv(step, (long) options.localSteps()), step,
                step * options.training().tokensPerStep(), loss, bytes, elapsed, tokens * 1e9 / elapsed.toNanos());
    }

    private boolean synchronous() {
        return options.mode() == SparkTrainingOptions.Mode.SYNCHRONOUS;
    }

    private boolean sharesMoments() {
        return !synchronous() && options.inner() == SparkTrainingOptions.Inner.AVERAGE;
    }

    /** What the workers begin with. */
    private float[] start() {
        float[] start = new float[FlatWeights.size(masters.keySet(), sharesMoments() ? 3 : 1)];
        FlatWeights.write(masters, start, 0);
        if (sharesMoments()) {
            Moments.write(optimizer, masters.sequencedKeySet(), start, momentum.length);
        }
        return start;
    }

    /** Runs the workers and takes their mean into the weights; the mean loss. */
    private double agree(Round round, double rate) {
        List<Round.Slice> slices = slices(round);
        double loss = slices.getFirst().losses().stream().flatMapToDouble(Arrays::stream).average().orElseThrow();
        float[] mean = round.join(slices);
        double norm = norm(mean);
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            throw new TrainingException(step + 1, loss, norm, lastGoodLoss, rate);
        }
        lastGoodLoss = loss;
        if (synchronous()) {
            FlatWeights.read(mean, 0, gradients);
            optimizer.step(masters, gradients, AdamW.norm(gradients), rate);
        } else {
            follow(round.start().value(), mean);
        }
        return loss;
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

    private static double norm(float[] values) {
        double squares = 0;
        for (float value : values) {
            squares += (double) value * value;
        }
        return Math.sqrt(squares);
    }

    /** Nesterov's step of the agreed weights against the workers' mean change. */
    private void follow(float[] start, float[] mean) {
        double rate = options.outerRate();
        double keep = options.outerMomentum();
        float[] next = new float[momentum.length];
        for (int i = 0; i < momentum.length; i++) {
            double velocity = keep * momentum[i] + mean[i];
            momentum[i] = (float) velocity;
            next[i] = (float) (start[i] - rate * (mean[i] + keep * velocity));
        }
        FlatWeights.read(next, 0, masters);
        if (sharesMoments()) {
            Moments.read(mean, momentum.length, optimizer, masters.sequencedKeySet());
        }
    }

    /** Whether the budget is spent.
     *  @return true after the last round */
    public boolean done() {
        return step >= options.training().steps();
    }

    /** Steps made so far by each worker.
     *  @return from 0 */
    public long steps() {
        return step;
    }

    /** The weights as they are now: a view that the next round changes.
     *  @return float32 weights */
    public Weights weights() {
        return Weights.of(masters);
    }

    /** How it is trained.
     *  @return the options */
    public SparkTrainingOptions options() {
        return options;
    }

    /** How many graphs were made by all executors: one in each JVM, unless executors were lost.
     *  @return the count so far */
    public long graphsMade() {
        return graphs.value();
    }

    /** All that a run needs to go on, by name: the agreed weights are beside it. */
    void state(Map<String, float[]> into) {
        if (synchronous() || sharesMoments()) {
            masters.keySet().forEach(param -> {
                into.put("first." + param.path(), optimizer.moments(param).first());
                into.put("second." + param.path(), optimizer.moments(param).second());
            });
        }
        if (!synchronous()) {
            into.put("outer.momentum", momentum);
        }
    }

    /** Goes on after a number of steps; masters and state were restored by the caller. */
    void resumeAt(long from) {
        step = from;
        optimizer.resumeAt(from);
    }

    @Override
    public void close() {
        shards.unpersist();
        // Where driver and executor are one process; other executors end with the application.
        Engine.release();
    }

    @Override
    public String toString() {
        return "SparkTrainer[" + options.mode() + ", " + options.workers() + " workers, step " + step + " of "
                + options.training().steps() + "]";
    }

    /** The map side of a round.
     *
     * @param round which */
    private record Pieces(Round round)
            implements
                Function1<Iterator<Shard>, Iterator<Tuple2<Integer, Round.Piece>>>,
                Serializable {
        @Override
        public Iterator<Tuple2<Integer, Round.Piece>> apply(Iterator<Shard> own) {
            return CollectionConverters.asScala(round.pieces(CollectionConverters.asJava(own)));
        }
    }

    /** Nothing but a reason to make the shards. */
    private enum CountShards implements Function1<Iterator<Shard>, Iterator<Integer>> {
        INSTANCE;

        @Override
        public Iterator<Integer> apply(Iterator<Shard> own) {
            return CollectionConverters
                    .asScala(List.of(CollectionConverters.asJava(own).next() == null ? 0 : 1).iterator());
        }
    }
}
