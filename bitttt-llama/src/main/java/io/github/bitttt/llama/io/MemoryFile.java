package io.github.bitttt.llama.io;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.nn.Mixer;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.StatePart;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What a session has learned, as a file: every part of every mixer's state, and the fingerprint of the model it belongs to.
 * Float32, so it comes back bit for bit.
 *
 * <p>A memory layer has {@code layers.{i}.ttt.memory} [H, d, d], {@code .previous} [D] and {@code .feature} [H, d]; attention has
 * {@code layers.{i}.attention.keys} and {@code .values} [t, n] of the t tokens that were read. A memory at the output is
 * {@code output.memory} [bytes] U8, little-endian, in the order of {@code OutputAdapter}.
 */
public final class MemoryFile {
    private static final String OUTPUT = "output.memory";
    private static final String FINGERPRINT = "fingerprint";
    // Normalised in float: past 1 by rounding only.
    private static final double MAX_SQUARES = 1.0001;

    private final List<MixerState<float[]>> memories;
    private final Optional<byte[]> output;

    private MemoryFile(List<MixerState<float[]>> memories, Optional<byte[]> output) {
        this.memories = List.copyOf(memories);
        this.output = output;
    }

    /** What each layer knows.
     *  @return one for each layer, flat in row order */
    public List<MixerState<float[]>> memories() {
        return memories;
    }

    /** What a memory at the output knows, if one was saved.
     *  @return its bytes */
    public Optional<byte[]> output() {
        return output;
    }

    /** Writes memories without one at the output, whole or not at all.
     *
     * @param file        its place
     * @param model       whose layers they are
     * @param fingerprint of the model's numbers
     * @param memories    one for each layer, flat in row order
     * @throws IOException if that fails */
    public static void save(Path file, BitLlama model, String fingerprint, List<MixerState<float[]>> memories)
            throws IOException {
        save(file, model, fingerprint, memories, Optional.empty());
    }

    /** Reads the memories of the layers.
     *
     * @param file        a memory file
     * @param model       whose layers they must be
     * @param fingerprint of the model's numbers
     * @return one for each layer, flat in row order
     * @throws CheckpointException if the memory is another model's, or the file says something wrong
     * @throws IOException         if it cannot be read */
    public static List<MixerState<float[]>> load(Path file, BitLlama model, String fingerprint) throws IOException {
        return read(file, model, fingerprint).memories();
    }

    /** Writes memories, whole or not at all.
     *
     * @param file        its place
     * @param model       whose layers they are
     * @param fingerprint of the model's numbers
     * @param memories    one for each layer, flat in row order
     * @param output      what a memory at the output says of itself, if there is one
     * @throws IOException if that fails */
    public static void save(Path file, BitLlama model, String fingerprint, List<MixerState<float[]>> memories,
            Optional<byte[]> output) throws IOException {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        for (int i = 0; i < memories.size(); i++) {
            Mixer mixer = model.blocks().get(i).mixer();
            Iterator<float[]> values = memories.get(i).parts().iterator();
            for (StatePart part : mixer.stateParts()) {
                float[] numbers = values.next();
                tensors.put(name(i, mixer, part), Tensor.of(numbers, shape(part, numbers.length / part.numbers())
                        .stream().mapToLong(Integer::longValue).toArray()));
            }
        }
        output.ifPresent(bytes -> tensors.put(OUTPUT, Tensor.of(Tensor.Type.U8, bytes, bytes.length)));
        Safetensors.write(file, tensors, Map.of(FINGERPRINT, fingerprint));
    }

    private static String name(int layer, Mixer mixer, StatePart part) {
        return "layers." + layer + "." + mixer.name() + "." + part.name();
    }

    private static List<Integer> shape(StatePart part, long tokens) {
        return part.grows()
                ? Stream.concat(Stream.of(Math.toIntExact(tokens)), part.shape().stream()).toList()
                : part.shape();
    }

    /** Reads all of a memory file.
     *
     * @param file        a memory file
     * @param model       whose layers they must be
     * @param fingerprint of the model's numbers
     * @return what it holds
     * @throws CheckpointException if the memory is another model's, or the file says something wrong
     * @throws IOException         if it cannot be read */
    public static MemoryFile read(Path file, BitLlama model, String fingerprint) throws IOException {
        Safetensors tensors = Safetensors.read(file);
        String found = tensors.metadata().getOrDefault(FINGERPRINT, "none");
        if (!found.equals(fingerprint)) {
            throw new CheckpointException(file, "this memory belongs to the model with fingerprint " + found
                    + ", not to this one with " + fingerprint + "; load the model that made it");
        }
        List<MixerState<float[]>> memories = new ArrayList<>();
        long tokens = tokens(tensors, model);
        for (int i = 0; i < model.blocks().size(); i++) {
            Mixer mixer = model.blocks().get(i).mixer();
            List<float[]> parts = new ArrayList<>();
            for (StatePart part : mixer.stateParts()) {
                parts.add(numbers(tensors, name(i, mixer, part), part, tokens));
            }
            Iterator<float[]> values = parts.iterator();
            memories.add(mixer.state(_ -> values.next()));
        }
        return new MemoryFile(memories, output(tensors));
    }

    private static Optional<byte[]> output(Safetensors file) throws CheckpointException {
        Tensor tensor = file.tensors().get(OUTPUT);
        if (tensor == null) {
            return Optional.empty();
        }
        if (tensor.type() != Tensor.Type.U8) {
            throw new CheckpointException(file.file(),
                    "tensor " + OUTPUT + " must be of type U8, got " + tensor.type());
        }
        return Optional.of(tensor.data().toArray(ValueLayout.JAVA_BYTE));
    }

    /** How many tokens were read, by the first part that grows: all others must agree. */
    private static long tokens(Safetensors file, BitLlama model) throws CheckpointException {
        List<Mixer> mixers = model.blocks().stream().map(block -> block.mixer()).toList();
        List<String> growing = IntStream.range(0, mixers.size()).boxed()
                .flatMap(i -> mixers.get(i).stateParts().stream().filter(StatePart::grows)
                        .map(part -> name(i, mixers.get(i), part)))
                .limit(1).toList();
        if (growing.isEmpty()) {
            return 0;
        }
        List<Long> shape = file.get(growing.getFirst()).shape();
        if (shape.isEmpty() || shape.getFirst() > Integer.MAX_VALUE) {
            throw new CheckpointException(file.file(), "tensor " + growing.getFirst()
                    + " must have a row for each token, fewer than 2^31, got shape " + shape);
        }
        return shape.getFirst();
    }

    private static float[] numbers(Safetensors file, String name, StatePart part, long tokens)
            throws CheckpointException {
        float[] values = file.floats(name, shape(part, tokens), (float) part.most());
        if (part.kind() == StatePart.Kind.UNIT_HEADS) {
            checkHeads(file, name, part, values);
        }
        return values;
    }

    /** The last feature, which the next step takes as its key: longer than 1, it would make that step amplify. */
    private static void checkHeads(Safetensors file, String name, StatePart part, float[] values)
            throws CheckpointException {
        int width = part.shape().getLast();
        for (int head = 0; head < part.shape().getFirst(); head++) {
            double squares = 0;
            for (int i = head * width; i < (head + 1) * width; i++) {
                squares += (double) values[i] * values[i];
            }
            if (squares > MAX_SQUARES) {
                throw new CheckpointException(file.file(),
                        "tensor " + name + ": a head's feature must have a norm of at most 1"
                                + ", got " + Math.sqrt(squares) + " in head " + head);
            }
        }
    }
}
