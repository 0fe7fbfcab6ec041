package io.github.bitttt.spark;

import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.executor.TaskMetrics;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerBlockUpdated;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.storage.BlockUpdatedInfo;

/**
 * Counts the bytes that Spark itself reports: broadcasts as they arrive at executors, shuffles as they are read, results as they
 * reach the driver. In {@code local} mode nothing is broadcast between processes, so only the latter two count.
 */
public final class Traffic extends SparkListener {
    private final AtomicLong broadcast = new AtomicLong();
    private final AtomicLong shuffled = new AtomicLong();
    private final AtomicLong results = new AtomicLong();
    private final SparkSession spark;

    private Traffic(SparkSession spark) {
        this.spark = spark;
    }

    /** What was exchanged so far.
     *
     * @param broadcast bytes that arrived at executors as broadcasts
     * @param shuffled  bytes that tasks read from each other, or from themselves
     * @param results   bytes that tasks sent to the driver */
    public record Bytes(long broadcast, long shuffled, long results) {
        /** All of them.
         *  @return the sum */
        public long total() {
            return broadcast + shuffled + results;
        }

        /** What came since then.
         *
         * @param before an earlier count
         * @return the difference */
        public Bytes since(Bytes before) {
            return new Bytes(broadcast - before.broadcast, shuffled - before.shuffled, results - before.results);
        }
    }

    /** Begins to count.
     *
     * @param spark the session
     * @return with nothing counted yet */
    public static Traffic of(SparkSession spark) {
        Traffic traffic = new Traffic(spark);
        spark.sparkContext().addSparkListener(traffic);
        return traffic;
    }

    /** What was exchanged so far, once all events are heard.
     *
     * @return the count
     * @throws TimeoutException if Spark does not tell them within ten seconds */
    public Bytes bytes() throws TimeoutException {
        spark.sparkContext().listenerBus().waitUntilEmpty();
        return new Bytes(broadcast.get(), shuffled.get(), results.get());
    }

    @Override
    public void onTaskEnd(SparkListenerTaskEnd event) {
        TaskMetrics metrics = event.taskMetrics();
        if (metrics != null) {
            shuffled.addAndGet(metrics.shuffleReadMetrics().totalBytesRead());
            results.addAndGet(metrics.resultSize());
        }
    }

    @Override
    public void onBlockUpdated(SparkListenerBlockUpdated event) {
        BlockUpdatedInfo block = event.blockUpdatedInfo();
        if (block.blockId().isBroadcast() && !block.blockManagerId().isDriver() && block.storageLevel().isValid()) {
            broadcast.addAndGet(block.memSize() + block.diskSize());
        }
    }

    /** Counts no more. */
    public void stop() {
        spark.sparkContext().removeSparkListener(this);
    }
}
