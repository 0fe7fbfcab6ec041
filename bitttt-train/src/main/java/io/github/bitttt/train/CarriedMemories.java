package io.github.bitttt.train;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.nn.Memory;
import io.github.bitttt.nn.TttLayer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * What the streams of a batch remember from one step to the next: W, the last input and the last feature of every layer.
 * Gradients do not flow through it: back-propagation through time is cut at the borders of windows. For one thread.
 */
final class CarriedMemories {
    private final int streams; // of a micro-batch
    private final List<List<Memory<float[]>>> pieces = new ArrayList<>();

    /** Empty memories. */
    CarriedMemories(BitLlama model, int batch, int microBatch) {
        streams = microBatch;
        for (int piece = 0; piece < batch / microBatch; piece++) {
            pieces.add(new ArrayList<>(model.blocks().stream().map(block -> empty(block.ttt())).toList()));
        }
    }

    private Memory<float[]> empty(TttLayer layer) {
        return new Memory<>(new float[streams * layer.memoryWidth() * layer.headWidth()],
                new float[streams * layer.width()], new float[streams * layer.memoryWidth()]);
    }

    /** The memories with which a micro-batch begins. */
    List<Memory<float[]>> of(int piece) {
        return pieces.get(piece);
    }

    /** The memories with which it ended. */
    void put(int piece, List<Memory<float[]>> memories) {
        pieces.set(piece, memories);
    }

    /** Forgets what a stream has read. */
    void empty(int stream) {
        for (Memory<float[]> memory : pieces.get(stream / streams)) {
            for (float[] part : List.of(memory.weights(), memory.previous(), memory.feature())) {
                int size = part.length / streams;
                int from = stream % streams * size;
                Arrays.fill(part, from, from + size, 0);
            }
        }
    }

    /** Every array under a name of its own, for the state of a run. */
    void forEach(BiConsumer<String, float[]> action) {
        for (int piece = 0; piece < pieces.size(); piece++) {
            for (int layer = 0; layer < pieces.get(piece).size(); layer++) {
                Memory<float[]> memory = pieces.get(piece).get(layer);
                String name = "carried." + piece + "." + layer;
                action.accept(name + ".weights", memory.weights());
                action.accept(name + ".previous", memory.previous());
                action.accept(name + ".feature", memory.feature());
            }
        }
    }
}
