package io.github.bitttt.train;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import java.util.Arrays;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.BiConsumer;

/** Gradients of a graph in this process, its batch in pieces if the options ask for it. */
public final class LocalGradients implements GradientSource {
    private final TrainingOptions options;
    private final WindowOptions windows;
    private final TrainingText text;
    private final WindowOrder order;
    private final TrainingGraph graph;
    private final Measurement measurement;
    private final Optional<CarriedMemories> carried;

    /** A source of a model's gradients on a text.
     *
     * @param model   the model
     * @param text    the training text
     * @param options how to train */
    public LocalGradients(BitLlama model, TrainingText text, TrainingOptions options) {
        this.options = options;
        this.windows = options.windows();
        this.text = text;
        if (windows.carry() > 1 && model.config().attention().isPresent()) {
            throw new IllegalArgumentException(
                    "attention has no memory of constant size to carry: carry must be 1, got " + windows.carry());
        }
        // The order first: a text that is too short is refused before the graph takes its memory.
        order = new WindowOrder(text.length(), windows);
        graph = TrainingGraph.training(model, windows.microBatch(), windows.window(), options.descent().dropout());
        measurement = new Measurement(model, graph, windows.carry());
        carried = windows.carry() > 1
                ? Optional.of(new CarriedMemories(model, windows.batch(), windows.microBatch()))
                : Optional.empty();
    }

    @Override
    public double gradient(SequencedMap<Param, float[]> masters, long step, SequencedMap<Param, float[]> into)
            throws InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("interrupted after step " + step);
        }
        graph.load(Weights.of(masters));
        int size = windows.microBatch();
        TokenBatch batch = order.batch(text, step, 0, windows.batch());
        double total = batch.counted();
        carried.ifPresent(memories -> emptyWhereAStretchBegins(memories, step));
        double loss = 0;
        for (int piece = 0; piece < windows.batch() / size; piece++) {
            int number = piece;
            TokenBatch part = part(batch, piece * size * windows.window(), (piece + 1) * size * windows.window());
            double share = total == 0 ? 0 : part.counted() / total;
            if (share == 0) {
                Arrays.fill(part.weights(), 1); // the memories must go on even where no target counts
            }
            carried.ifPresent(memories -> graph.setMemories(memories.of(number)));
            graph.drop(windows.orderSeed(), step * windows.batch() + (long) number * size);
            loss += share * graph.step(part.inputs(), part.targets(), part.weights());
            carried.ifPresent(memories -> memories.put(number, graph.memories()));
            into.sequencedEntrySet().parallelStream()
                    .forEach(entry -> accumulate(entry.getKey(), entry.getValue(), number == 0, share));
        }
        return loss;
    }

    private static TokenBatch part(TokenBatch batch, int from, int to) {
        return new TokenBatch(Arrays.copyOfRange(batch.inputs(), from, to),
                Arrays.copyOfRange(batch.targets(), from, to), Arrays.copyOfRange(batch.weights(), from, to));
    }

    private void accumulate(Param param, float[] sum, boolean first, double share) {
        if (first && share == 1) {
            graph.gradient(param, sum);
            return;
        }
        float[] gradient = new float[sum.length];
        graph.gradient(param, gradient);
        for (int i = 0; i < sum.length; i++) {
            sum[i] = (float) ((first ? 0 : sum[i]) + gradient[i] * share);
        }
    }

    private void emptyWhereAStretchBegins(CarriedMemories memories, long step) {
        for (int stream = 0; stream < windows.batch(); stream++) {
            if (WindowOrder.position(windows, step, stream) == 0) {
                memories.empty(stream);
            }
        }
    }

    @Override
    public double evaluate(Weights weights, TrainingText measured, long tokens) throws InterruptedException {
        graph.load(weights);
        return measurement.of(measured, tokens);
    }

    @Override
    public void state(BiConsumer<String, float[]> parts) {
        carried.ifPresent(memories -> memories.forEach(parts));
    }

    @Override
    public void close() {
        graph.close();
    }

    @Override
    public String toString() {
        return "LocalGradients[" + graph + ", " + options.windows() + "]";
    }
}
