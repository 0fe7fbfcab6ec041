package io.github.bitttt.spark;

import java.io.Serializable;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.apache.spark.TaskContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.util.LongAccumulator;
import scala.Tuple2;

/**
 * One round as its tasks see it: a function of these values and a shard alone, so a lost task is simply made again.
 *
 * <p>A worker's outcome is cut into N slices, one for each of the tasks that then take the mean: no process receives more than
 * its share, and the driver only the mean itself.
 *
 * @param plan        of the run
 * @param synchronous whether gradients are wanted, and not steps
 * @param step        the first step, from 0
 * @param rates       learning rate of each step
 * @param start       weights to begin with, and moments if they are carried on
 * @param graphs      counts the graphs that were made
 */
record Round(Plan plan, boolean synchronous, long step, double[] rates, Broadcast<float[]> start,
        LongAccumulator graphs)
        implements
            Serializable {

    /** A slice of a worker's outcome.
     *
     * @param worker whose
     * @param values the slice
     * @param losses of each step, in the first slice only */
    record Piece(int worker, float[] values, double[] losses) implements Serializable {}

    /** A slice of the agreement.
     *
     * @param index  which slice
     * @param mean   of all workers
     * @param losses of each worker's steps, in the first slice only */
    record Slice(int index, float[] mean, List<double[]> losses) implements Serializable {}

    /** The map side: trains, and cuts the outcome. */
    Iterator<Tuple2<Integer, Piece>> pieces(Iterator<Windows> shards) {
        Engine.Outcome outcome = Engine.run(this, shards.next());
        int worker = TaskContext.getPartitionId();
        int length = outcome.values().length;
        return IntStream.range(0, plan.workers()).mapToObj(slice -> new Tuple2<>(slice,
                new Piece(worker, Arrays.copyOfRange(outcome.values(), cut(length, slice), cut(length, slice + 1)),
                        slice == 0 ? outcome.losses() : new double[0])))
                .iterator();
    }

    private int cut(int length, int slice) {
        return (int) ((long) length * slice / plan.workers());
    }

    /** The reduce side: the mean of a slice, summed in the order of the workers. */
    static Slice mean(int slice, Iterable<Piece> unordered) {
        List<Piece> pieces = StreamSupport.stream(unordered.spliterator(), false)
                .sorted(Comparator.comparingInt(Piece::worker)).toList();
        float[] mean = new float[pieces.getFirst().values().length];
        for (int i = 0; i < mean.length; i++) {
            double sum = 0;
            for (Piece piece : pieces) {
                sum += piece.values()[i];
            }
            mean[i] = (float) (sum / pieces.size());
        }
        return new Slice(slice, mean, pieces.stream().map(Piece::losses).toList());
    }

    /** The slices, put together again. */
    float[] join(List<Slice> slices) {
        float[] whole = new float[start.value().length];
        for (Slice slice : slices) {
            System.arraycopy(slice.mean(), 0, whole, cut(whole.length, slice.index()), slice.mean().length);
        }
        return whole;
    }
}
