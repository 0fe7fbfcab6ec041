package io.github.bitttt.llama.io;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.nn.Memory;
import io.github.bitttt.nn.TttLayer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * What a session has learned, as a file: {@code layers.{i}.ttt.memory} [H, d, d], {@code .previous} [D], {@code .feature}
 * [H, d], and the fingerprint of the model it belongs to. Float32, so it comes back bit for bit.
 */
public final class MemoryFile {
    private static final String FINGERPRINT = "fingerprint";
    // The norm of W is at most the root of the number of tokens, of which there are fewer than 2^63.
    private static final float MAX_WEIGHT = 0x1p32f;
    // Normalised in float: past 1 by rounding only.
    private static final double MAX_SQUARES = 1.0001;

    private MemoryFile() {
    }

    /** Writes memories, whole or not at all.
     *
     * @param file        its place
     * @param model       whose layers they are
     * @param fingerprint of the model's numbers
     * @param memories    one for each layer, flat in row order
     * @throws IOException if that fails */
    public static void save(Path file, BitLlama model, String fingerprint, List<Memory<float[]>> memories)
            throws IOException {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        for (int i = 0; i < memories.size(); i++) {
            TttLayer layer = model.blocks().get(i).ttt();
            Memory<float[]> memory = memories.get(i);
            tensors.put(name(i, "memory"),
                    Tensor.of(memory.weights(), layer.heads(), layer.headWidth(), layer.headWidth()));
            tensors.put(name(i, "previous"), Tensor.of(memory.previous(), layer.width()));
            tensors.put(name(i, "feature"), Tensor.of(memory.feature(), layer.heads(), layer.headWidth()));
        }
        Safetensors.write(file, tensors, Map.of(FINGERPRINT, fingerprint));
    }

    private static String name(int layer, String part) {
        return "layers." + layer + ".ttt." + part;
    }

    /** Reads memories.
     *
     * @param file        a memory file
     * @param model       whose layers they must be
     * @param fingerprint of the model's numbers
     * @return one for each layer, flat in row order
     * @throws CheckpointException if the memory is another model's, or the file says something wrong
     * @throws IOException         if it cannot be read */
    public static List<Memory<float[]>> load(Path file, BitLlama model, String fingerprint) throws IOException {
        Safetensors tensors = Safetensors.read(file);
        String found = tensors.metadata().getOrDefault(FINGERPRINT, "none");
        if (!found.equals(fingerprint)) {
            throw new CheckpointException(file, "this memory belongs to the model with fingerprint " + found
                    + ", not to this one with " + fingerprint + "; load the model that made it");
        }
        List<Memory<float[]>> memories = new ArrayList<>();
        for (int i = 0; i < model.blocks().size(); i++) {
            TttLayer layer = model.blocks().get(i).ttt();
            int d = layer.headWidth();
            // A normed row: at most sqrt(D) times the gain.
            float maxPrevious = (float) (Math.sqrt(layer.width()) * Checkpoint.MAX_MAGNITUDE);
            memories.add(new Memory<>(tensors.floats(name(i, "memory"), List.of(layer.heads(), d, d), MAX_WEIGHT),
                    tensors.floats(name(i, "previous"), List.of(layer.width()), maxPrevious),
                    feature(tensors, name(i, "feature"), layer)));
        }
        return memories;
    }

    /** The last feature, which the next step takes as its key: longer than 1, it would make that step amplify. */
    private static float[] feature(Safetensors file, String name, TttLayer layer) throws CheckpointException {
        float[] values = file.floats(name, List.of(layer.heads(), layer.headWidth()), 2);
        for (int head = 0; head < layer.heads(); head++) {
            double squares = 0;
            for (int i = head * layer.headWidth(); i < (head + 1) * layer.headWidth(); i++) {
                squares += (double) values[i] * values[i];
            }
            if (squares > MAX_SQUARES) {
                throw new CheckpointException(file.file(),
                        "tensor " + name + ": a head's feature must have a norm of at most 1"
                                + ", got " + Math.sqrt(squares) + " in head " + head);
            }
        }
        return values;
    }
}
