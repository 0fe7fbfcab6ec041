package io.github.bitttt.train;

import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;

/**
 * Training on more machines than this one. The module bitttt-spark provides it, as a {@link java.util.ServiceLoader service}: so
 * the programs do without Spark until somebody asks for it.
 */
public interface ClusterTraining {
    /** Where and how.
     *
     * @param master     of the cluster; empty for what {@code spark-submit} said
     * @param workers    tasks that train at once; 0 for as many as the cluster runs at once
     * @param localSteps steps of each worker between two agreements; 1 averages every gradient
     * @param messages   hears each round */
    record Cluster(String master, int workers, int localSteps, PrintWriter messages) {}

    /** Trains in a new folder to the end.
     *
     * @param cluster   where
     * @param out       the folder, of this process
     * @param first     config and first masters
     * @param tokenizer of their vocabulary
     * @param text      to train on
     * @param options   how; its batch is that of all workers together
     * @throws IOException if the folder exists or cannot be written */
    void start(Cluster cluster, Path out, Checkpoint first, Tokenizer tokenizer, String text, TrainingOptions options)
            throws IOException;

    /** Goes on with a run to its end, by the options that it began with.
     *
     * @param cluster where
     * @param out     the folder of the run
     * @param text    the same as when it began
     * @throws IOException if there is no run, or it was begun with another text */
    void resume(Cluster cluster, Path out, String text) throws IOException;
}
