package io.github.bitttt.train;

import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Training on more machines than this one. The module bitttt-spark provides it, as a {@link java.util.ServiceLoader service}: so
 * the programs do without Spark until somebody asks for it.
 */
public interface ClusterTraining extends AutoCloseable {
    /** Under this name a run keeps what its cluster needs to go on. */
    String DESCRIPTION = "cluster";

    /** Where and how.
     *
     * @param master     of the cluster; empty for what {@code spark-submit} said
     * @param workers    tasks that train at once; 0 for as many as the cluster runs at once
     * @param localSteps steps of each worker between two agreements; 1 averages every gradient
     */
    record Cluster(String master, int workers, int localSteps) {}

    /** Begins a run in a new folder.
     *
     * @param cluster   where
     * @param out       the folder, of this process
     * @param first     config and first masters
     * @param tokenizer of their vocabulary
     * @param data      to train on
     * @param options   how; its batch is that of all workers together
     * @return the run, before its first step
     * @throws IOException if the folder exists or cannot be written */
    TrainingRun start(Cluster cluster, Path out, Checkpoint first, Tokenizer tokenizer, TrainingData data,
            TrainingOptions options) throws IOException;

    /** Goes on with a run, by the options that it began with.
     *
     * @param cluster where
     * @param out     the folder of the run
     * @param data    the same as when it began
     * @return the run, as it was at its last checkpoint
     * @throws IOException if there is no run, or it was begun with another text */
    TrainingRun resume(Cluster cluster, Path out, TrainingData data) throws IOException;

    /** Lets the cluster go, after the runs are closed. */
    @Override
    void close();
}
