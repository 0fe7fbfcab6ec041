package io.github.bitttt.cli;

import io.github.bitttt.train.ClusterTraining;
import java.util.ServiceLoader;
import picocli.CommandLine.Option;

/** Whether {@code train} trains on Spark, and how. */
final class TrainCluster {
    @Option(names = "--spark", arity = "0..1", fallbackValue = "", paramLabel = "MASTER", description = "Train on Spark, on this master, such as local[2] (without one: on that of spark-submit).")
    private String spark;
    @Option(names = "--workers", description = "With --spark: tasks that train at once, a divisor of the batch (default: as many as Spark runs at once).")
    private Integer workers;
    @Option(names = "--local-steps", description = "With --spark: steps of each worker between two agreements; 1 averages every gradient (default: 50).")
    private int localSteps = 50;

    boolean asked() {
        return spark != null;
    }

    void check() {
        if (workers != null) {
            Numbers.require("--workers", workers, 1, Integer.MAX_VALUE);
        }
        Numbers.require("--local-steps", localSteps, 1, Integer.MAX_VALUE);
    }

    ClusterTraining.Cluster cluster() {
        return new ClusterTraining.Cluster(spark, workers == null ? 0 : workers, localSteps);
    }

    static ClusterTraining training() {
        return ServiceLoader.load(ClusterTraining.class).findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        "--spark needs bitttt-spark and Spark on the class path; ./bitttt train --spark adds both"));
    }
}
