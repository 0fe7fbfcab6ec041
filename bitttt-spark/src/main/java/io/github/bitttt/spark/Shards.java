package io.github.bitttt.spark;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.HashPartitioner;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import scala.Tuple2;

/** Deals windows out to the workers. */
final class Shards {
    private Shards() {
    }

    /** One shard in each of N partitions, all of the same size; what does not fill a step of all workers is left out. */
    static JavaRDD<Windows> of(Dataset<Row> windows, SparkTrainingOptions options) {
        int workers = options.workers();
        int batch = options.workerBatch();
        int window = options.training().windows().window();
        long dealt = windows.count() / options.training().windows().batch() * options.training().windows().batch();
        if (dealt == 0) {
            throw new IllegalArgumentException("a step of all workers takes " + options.training().windows().batch()
                    + " windows, got " + windows.count() + "; give more text, or a smaller batch or window");
        }
        int found = SparkText.ints(windows.select("ids").first(), 0).length;
        if (found != window + 1) {
            throw new IllegalArgumentException(
                    "windows must have " + (window + 1) + " ids, one more than the options' window, got "
                            + found + "; cut them by SparkText.windows(tokens, " + window + ", seed)");
        }
        return windows.select("position", "ids").javaRDD().filter(row -> row.getLong(0) < dealt)
                .mapToPair(row -> new Tuple2<>((int) (row.getLong(0) / batch % workers),
                        new Tuple2<>(row.getLong(0), SparkText.ints(row, 1))))
                .partitionBy(new HashPartitioner(workers)).mapPartitionsWithIndex(
                        (worker, rows) -> List.<Windows>of(shard(worker, window, rows)).iterator(), false);
    }

    private static Shard shard(int worker, int window, Iterator<Tuple2<Integer, Tuple2<Long, int[]>>> rows) {
        List<Tuple2<Long, int[]>> own = new ArrayList<>();
        rows.forEachRemaining(row -> own.add(row._2()));
        own.sort(Comparator.comparingLong(Tuple2::_1));
        int[] ids = new int[Math.multiplyExact(own.size(), window + 1)];
        for (int i = 0; i < own.size(); i++) {
            System.arraycopy(own.get(i)._2(), 0, ids, i * (window + 1), window + 1);
        }
        return new Shard(worker, window, ids);
    }
}
