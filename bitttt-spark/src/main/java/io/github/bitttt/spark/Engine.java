package io.github.bitttt.spark;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.CheckpointException;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.train.AdamW;
import io.github.bitttt.train.TokenBatch;
import io.github.bitttt.train.TrainingGraph;
import java.util.Arrays;
import java.util.SequencedMap;
import org.apache.spark.TaskContext;
import org.apache.spark.TaskKilledException;

/**
 * What a worker trains with: one SameDiff graph and its executor for the whole JVM, kept from round to round.
 *
 * <p>Nothing else is kept: a round begins with the weights that it is given, so that it can be repeated anywhere. Tasks of one
 * JVM take turns.
 */
final class Engine {
    /** This JVM's only engine: Spark gives a task no other place to leave something for the next. */
    private static Engine current;

    private final Plan plan;
    private final BitLlama model;
    private final TrainingGraph graph;
    private final SequencedMap<Param, float[]> masters;
    private final SequencedMap<Param, float[]> gradients;

    /** What a worker has found out.
     *
     * @param values gradients, or changes of the weights and what else belongs to the agreement
     * @param losses of each step */
    record Outcome(float[] values, double[] losses) {}

    private Engine(Plan plan) {
        this.plan = plan;
        try {
            model = new BitLlama(Checkpoint.config(plan.config()));
        } catch (CheckpointException e) {
            throw new IllegalStateException("the driver sent a config that cannot be read", e);
        }
        masters = FlatWeights.zeros(model.params());
        gradients = FlatWeights.zeros(model.params());
        graph = TrainingGraph.training(model, plan.batch(), plan.windows().window(), plan.descent().dropout());
    }

    private boolean suits(Plan other) {
        return plan.config().equals(other.config()) && plan.batch() == other.batch()
                && plan.windows().window() == other.windows().window()
                && plan.descent().dropout() == other.descent().dropout();
    }

    /** A worker's part of a round, on this JVM's engine. */
    static synchronized Outcome run(Round round, Windows windows) {
        if (current != null && !current.suits(round.plan())) {
            release();
        }
        if (current == null) {
            current = new Engine(round.plan());
            round.graphs().add(1);
        }
        return round.synchronous() ? current.gradient(round, windows) : current.train(round, windows);
    }

    /** Gives the graph's memory back. */
    static synchronized void release() {
        if (current != null) {
            current.graph.close();
            current = null;
        }
    }

    /** The gradient of one batch. */
    private Outcome gradient(Round round, Windows windows) {
        float[] start = round.start().value();
        FlatWeights.read(start, 0, masters);
        double loss = gradient(round, windows, 0);
        float[] values = new float[start.length];
        FlatWeights.write(gradients, values, 0);
        // Of the mean over the workers a batch's mean is made: 1 where every target counts.
        double share = windows.share(round.plan(), round.step()) * round.plan().workers();
        if (share != 1) {
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (values[i] * share);
            }
        }
        return new Outcome(values, new double[]{loss * share});
    }

    /** Some steps of AdamW; then start less end, and the moments if the next round wants them. */
    private Outcome train(Round round, Windows windows) {
        float[] start = round.start().value();
        FlatWeights.read(start, 0, masters);
        int size = FlatWeights.size(masters.keySet(), 1);
        boolean average = start.length > size;
        AdamW optimizer = new AdamW(model.params(), round.plan().descent().weightDecay(),
                round.plan().descent().clip());
        if (average) {
            Moments.read(start, size, optimizer, masters.sequencedKeySet());
            optimizer.resumeAt(round.step());
        }
        double[] losses = new double[round.rates().length];
        for (int i = 0; i < losses.length; i++) {
            losses[i] = gradient(round, windows, i);
            double norm = AdamW.norm(gradients);
            if (!Double.isFinite(losses[i]) || !Double.isFinite(norm)) {
                // The driver says so: an exception here would make Spark repeat what cannot go better.
                losses[i] = Double.NaN;
                break;
            }
            optimizer.step(masters, gradients, norm, round.rates()[i]);
        }
        float[] values = new float[start.length];
        FlatWeights.write(masters, values, 0);
        for (int i = 0; i < size; i++) {
            values[i] = start[i] - values[i];
        }
        if (average) {
            Moments.write(optimizer, masters.sequencedKeySet(), values, size);
        }
        return new Outcome(values, losses);
    }

    private double gradient(Round round, Windows windows, int step) {
        TaskContext task = TaskContext.get();
        if (task.isInterrupted()) {
            // Another worker was lost, so this round is to be repeated: make room for it.
            throw new TaskKilledException("the round is repeated");
        }
        graph.load(Weights.of(masters));
        TokenBatch batch = windows.batch(round.plan(), round.step() + step);
        if (batch.counted() == 0) {
            gradients.values().forEach(gradient -> Arrays.fill(gradient, 0));
            return 0;
        }
        graph.drop(round.plan().windows().orderSeed(), round.plan().first(windows.worker(), round.step() + step));
        double loss = graph.step(batch.inputs(), batch.targets(), batch.weights());
        gradients.sequencedEntrySet().forEach(entry -> graph.gradient(entry.getKey(), entry.getValue()));
        return loss;
    }
}
