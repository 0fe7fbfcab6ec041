package io.github.bitttt.spark;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;

/** A Spark of our own: {@code local[2]} in this JVM, or {@code local-cluster} with executors in JVMs of their own. */
final class TestCluster implements AutoCloseable {
    private static final String EXECUTOR_FLAGS = "--add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED "
            + "--sun-misc-unsafe-memory-access=allow -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "
            + "-Dorg.bytedeco.javacpp.maxbytes=1g -Dorg.bytedeco.javacpp.maxphysicalbytes=3g";

    private final SparkSession spark;

    private TestCluster(SparkSession spark) {
        this.spark = spark;
    }

    static TestCluster local() {
        return new TestCluster(builder("local[2]").getOrCreate());
    }

    /** Workers of one core and half a gigabyte each. */
    static TestCluster ofProcesses(int workers) throws IOException {
        // The workers start executors by Spark's own class path, which is empty here, and then by ours.
        Files.createDirectories(Path.of(System.getenv("SPARK_HOME"), "jars"));
        return new TestCluster(builder("local-cluster[" + workers + ",1,512]")
                .config("spark.executor.memory", "512m")
                .config("spark.executor.extraClassPath", System.getProperty("java.class.path"))
                .config("spark.executor.extraJavaOptions", EXECUTOR_FLAGS)
                .config("spark.executorEnv.OMP_NUM_THREADS", "1")
                .config("spark.executorEnv.OMP_WAIT_POLICY", "PASSIVE")
                .config("spark.scheduler.minRegisteredResourcesRatio", "1")
                .config("spark.deploy.maxExecutorRetries", "5")
                .config("spark.scheduler.barrier.maxConcurrentTasksCheck.interval", "1s").getOrCreate());
    }

    private static SparkSession.Builder builder(String master) {
        return SparkSession.builder().master(master).appName("bitttt-test").config("spark.ui.enabled", "false")
                .config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
                .config("spark.sql.shuffle.partitions", "2")
                .config("spark.sql.warehouse.dir", Path.of("target/warehouse").toAbsolutePath().toString());
    }

    SparkSession spark() {
        return spark;
    }

    /** The processes of the executors: this one starts no others. */
    static Stream<ProcessHandle> executors() {
        return ProcessHandle.current().children();
    }

    @Override
    public void close() {
        spark.stop();
    }
}
