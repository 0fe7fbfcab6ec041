package io.github.bitttt.train;

import io.github.bitttt.llama.BitLlama;
import java.util.Arrays;
import java.util.Optional;

/**
 * Mean cross entropy of a graph's weights over a text, or over stretches spread evenly over it. It is read as in training: in windows,
 * each from an empty memory, or carried over as many windows as there; what does not fill a window counts as well. For one thread.
 */
public final class Measurement {
    private final BitLlama model;
    private final TrainingGraph graph;
    private final int carry;

    /** Measures by a graph.
     *
     * @param model that the graph is of
     * @param graph which the caller loads and closes
     * @param carry windows over which a memory is carried, at least 1 */
    public Measurement(BitLlama model, TrainingGraph graph, int carry) {
        this.model = model;
        this.graph = graph;
        this.carry = carry;
    }

    /** Measures a text.
     *
     * @param text   with at least one target
     * @param tokens the most to read, rounded to whole stretches, one at least
     * @return nats per token that counts
     * @throws InterruptedException if the thread is interrupted */
    public double of(TrainingText text, long tokens) throws InterruptedException {
        long stretch = (long) carry * graph.tokens();
        long all = Math.ceilDiv(Math.max(1, text.length() - 1), stretch);
        long read = Math.clamp(tokens / stretch, 1, all);
        double nats = 0;
        double count = 0;
        for (long first = 0; first < read; first += graph.batch()) {
            long[] starts = new long[graph.batch()];
            for (int stream = 0; stream < starts.length; stream++) {
                // The i-th of n stretches begins at i n-ths of the text; those past the end read nothing.
                long number = first + stream;
                starts[stream] = number < read ? Math.multiplyExact(number, all) / read * stretch : text.length();
            }
            Optional<CarriedMemories> memories = carry > 1
                    ? Optional.of(new CarriedMemories(model, graph.batch(), graph.batch()))
                    : Optional.empty();
            for (int segment = 0; segment < carry; segment++) {
                if (Thread.interrupted()) {
                    throw new InterruptedException("interrupted while the validation text was read");
                }
                TokenBatch pass = pass(text, starts, segment);
                nats += nats(pass, memories);
                count += pass.counted();
            }
        }
        // A sample of a text of long prompts may hold no target: then there is nothing for it but to read all.
        return count > 0 || read == all ? nats / count : of(text, Long.MAX_VALUE);
    }

    /** A window of each stream. */
    private TokenBatch pass(TrainingText text, long[] starts, int segment) {
        int window = graph.tokens();
        int rows = starts.length * window;
        TokenBatch batch = new TokenBatch(new int[rows], new int[rows], new float[rows]);
        for (int row = 0; row < rows; row++) {
            long position = starts[row / window] + (long) segment * window + row % window;
            if (position < text.length() - 1) {
                batch.inputs()[row] = text.id(position);
                batch.targets()[row] = text.id(position + 1);
                batch.weights()[row] = text.counts(position + 1) ? 1 : 0;
            }
        }
        return batch;
    }

    private double nats(TokenBatch batch, Optional<CarriedMemories> memories) {
        double count = batch.counted();
        if (count == 0) {
            Arrays.fill(batch.weights(), 1);
        }
        memories.ifPresent(before -> graph.setMemories(before.of(0)));
        double loss = graph.loss(batch.inputs(), batch.targets(), batch.weights());
        memories.ifPresent(after -> after.put(0, graph.memories()));
        if (count == 0) {
            Arrays.fill(batch.weights(), 0);
        }
        return loss * count;
    }
}
