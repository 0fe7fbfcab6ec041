package io.github.bitttt.train;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.StatePart;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;

/**
 * What the streams of a batch remember from one step to the next: the state of every layer's mixer.
 * Gradients do not flow through it: back-propagation through time is cut at the borders of windows. For one thread.
 */
final class CarriedMemories {
    private final int streams; // of a micro-batch
    private final List<List<String>> names; // of each layer's parts
    private final List<List<MixerState<float[]>>> pieces = new ArrayList<>();

    /** Empty memories. */
    CarriedMemories(BitLlama model, int batch, int microBatch) {
        streams = microBatch;
        names = model.blocks().stream().map(block -> block.mixer().stateParts().stream().map(this::name).toList())
                .toList();
        for (int piece = 0; piece < batch / microBatch; piece++) {
            pieces.add(new ArrayList<>(model.memories(this::empty)));
        }
    }

    private float[] empty(StatePart part) {
        return new float[Math.toIntExact(streams * part.numbers())];
    }

    /** What a part is called in the state of a run, where W has another name than in memory files. */
    private String name(StatePart part) {
        return part.kind() == StatePart.Kind.MATRICES ? "weights" : part.name();
    }

    /** The memories with which a micro-batch begins. */
    List<MixerState<float[]>> of(int piece) {
        return pieces.get(piece);
    }

    /** The memories with which it ended. */
    void put(int piece, List<MixerState<float[]>> memories) {
        pieces.set(piece, memories);
    }

    /** Forgets what a stream has read. */
    void empty(int stream) {
        for (MixerState<float[]> memory : pieces.get(stream / streams)) {
            for (float[] part : memory.parts()) {
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
                List<float[]> values = pieces.get(piece).get(layer).parts();
                for (int part = 0; part < values.size(); part++) {
                    action.accept("carried." + piece + "." + layer + "." + names.get(layer).get(part),
                            values.get(part));
                }
            }
        }
    }
}
