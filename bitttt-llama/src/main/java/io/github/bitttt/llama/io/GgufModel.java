package io.github.bitttt.llama.io;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.tensor.Int8Matrix;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/**
 * Other people's ternary transformers as one GGUF file: BitNet b1.58 2B4T, models of the Llama kind, Qwen3 and Qwen3.5 (Ternary
 * Bonsai), also with rotated weights (Bonsai-2).
 *
 * <p>The file is mapped. A ternary matrix goes row by row into the kernels' layout, an embedding or head of more than
 * {@link HuggingFaceFolder#MOST_FLOATS} numbers row by row into int8; nothing else is kept of it.
 */
final class GgufModel implements ModelFormat {
    private static final int TENSORS_OF_A_LAYER = 9;
    private static final String EXPONENT = "delta.decay.exponent";

    @Override
    public String name() {
        return "gguf";
    }

    @Override
    public String reads() {
        return "a GGUF file (versions 2, 3) of architecture bitnet-b1.58, bitnet-25, bitnet, llama, qwen3 or qwen35, with ternary tensors of types I2_S, "
                + "TQ1_0, TQ2_0, Q2_0, PQ2_0, PTQ1_0, and F32, F16, BF16, Q8_0, Q6_K for the rest";
    }

    @Override
    public String tested() {
        return "meets an independent program in doubles on synthetic files of the same form; published weights were not tried";
    }

    @Override
    public boolean accepts(Path path) throws IOException {
        if (!Files.isRegularFile(path)) {
            return false;
        }
        try (InputStream in = Files.newInputStream(path)) {
            byte[] first = in.readNBytes(4);
            return first.length == 4 && ByteBuffer.wrap(first).order(ByteOrder.LITTLE_ENDIAN).getInt() == Gguf.MAGIC;
        }
    }

    @Override
    public List<Reading> readings() {
        return Readings.gguf(GgufKeys.architectures(), GgufTokenizer.schemes());
    }

    @Override
    public ModelCard card(Path file) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            Gguf gguf = Gguf.map(file, arena);
            return new ModelCard(name(), GgufKeys.of(gguf).architecture(), "",
                    ModelCard.counted(gguf.tensors().values(), tensor -> tensor.type().toString()));
        }
    }

    @Override
    public BitLlamaConfig config(Path file) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            return GgufKeys.of(Gguf.map(file, arena)).config();
        }
    }

    @Override
    public Checkpoint read(Path file) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            return of(Gguf.map(file, arena));
        } catch (InternalError e) {
            // What Java throws where a mapped file has lost its end.
            throw new IOException(file + ": became shorter while it was read", e);
        }
    }

    @Override
    public Optional<String> tokenizerJson(Path file) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            return Optional.of(GgufTokenizer.json(Gguf.map(file, arena)));
        }
    }

    @Override
    public Optional<String> generationConfig(Path file) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            return Optional.of(GgufTokenizer.generationConfig(Gguf.map(file, arena)));
        }
    }

    @Override
    public Optional<String> chatConfig(Path file) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            return Optional.of(GgufTokenizer.chatConfig(Gguf.map(file, arena)));
        }
    }

    private static Checkpoint of(Gguf gguf) throws IOException {
        GgufKeys keys = GgufKeys.of(gguf);
        BitLlamaConfig config = keys.config();
        if (config.layers() > gguf.tensors().size() / TENSORS_OF_A_LAYER) {
            throw new CheckpointException(gguf.file(), "block_count " + config.layers() + " takes at least "
                    + TENSORS_OF_A_LAYER + " tensors a layer, the file has " + gguf.tensors().size());
        }
        List<Param> params;
        try {
            params = new BitLlama(config).params();
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(gguf.file(), e.getMessage(), e);
        }
        GgufNames names = keys.names(config);
        Set<String> rest = new HashSet<>(gguf.tensors().keySet());
        rest.removeIf(keys::isOfExtraBlocks);
        SequencedMap<Param, Weight> weights = new LinkedHashMap<>();
        checkMemory(keys, names, params);
        for (Param param : params) {
            if (GgufHadamard.isSigns(param)) {
                weights.put(param, new Weight.Floats(keys.hadamard().orElseThrow().signs(param.rows())));
                continue;
            }
            GgufPlace place = names.place(param);
            weights.put(param, weight(keys, place, param));
            rest.remove(place.name());
            rest.remove(scaleName(place.name()));
        }
        if (keys.hadamard().isPresent()) {
            keys.hadamard().get().checkNames(params, names);
        }
        if (!rest.isEmpty()) {
            throw new CheckpointException(gguf.file(),
                    "tensor " + StrictJson.shown(rest.stream().sorted().findFirst().get())
                            + " is no part of a model that is read, so it would be computed wrongly without it");
        }
        return new Checkpoint(config, new Weights(weights), "{}", Map.of());
    }

    private static GgufTensor tensor(Gguf gguf, GgufPlace place, Param param) throws CheckpointException {
        String name = place.name();
        GgufTensor tensor = gguf.tensors().get(name);
        if (tensor == null) {
            throw new CheckpointException(gguf.file(),
                    "tensor " + name + " missing; found " + gguf.tensors().size() + " tensors");
        }
        int columns = param.shape().getLast();
        if (tensor.rows() != place.whole() || tensor.columns() != columns) {
            throw new CheckpointException(gguf.file(), "tensor " + name + " must have " + place.whole() + " rows of "
                    + columns + " numbers, got " + tensor.rows() + " of " + tensor.columns());
        }
        return tensor;
    }

    /** What is made of the file must fit into memory: rows of floats on the heap, codes beside it. */
    private static void checkMemory(GgufKeys keys, GgufNames names, List<Param> params) throws IOException {
        long bytes = 0;
        for (Param param : params) {
            if (GgufHadamard.isSigns(param)) {
                continue;
            }
            tensor(keys.gguf(), names.place(param), param);
            long numbers = (long) param.rows() * param.columns();
            if (param.kind() != Param.Kind.TERNARY) {
                bytes += numbers > HuggingFaceFolder.MOST_FLOATS ? numbers : 4 * numbers;
            }
        }
        Safetensors.checkMemory(keys.gguf().file(), bytes);
    }

    private static Weight weight(GgufKeys keys, GgufPlace place, Param param) throws CheckpointException {
        Gguf gguf = keys.gguf();
        GgufTensor tensor = tensor(gguf, place, param);
        try {
            if (param.kind() == Param.Kind.TERNARY) {
                return new Weight.Ternary(tensor.ternary(place, scale(gguf, place.name())));
            }
            if (param.kind() == Param.Kind.ROWS
                    && (long) tensor.rows() * tensor.columns() > HuggingFaceFolder.MOST_FLOATS) {
                return new Weight.Int8Rows(Int8Matrix.quantize((row, to) -> row(tensor, row, to), tensor.rows(),
                        tensor.columns()));
            }
            float[] all = new float[place.count() * tensor.columns()];
            float[] one = new float[tensor.columns()];
            for (int row = 0; row < place.count(); row++) {
                row(tensor, place.rows().applyAsInt(row), one);
                for (int i = 0; i < one.length; i++) {
                    all[row * one.length + i] = one[place.column(i, one.length)];
                }
            }
            if (param.path().endsWith(EXPONENT)) {
                logarithms(all);
            }
            return new Weight.Floats(all);
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new CheckpointException(gguf.file(), "tensor " + place.name() + ": " + e.getMessage(), e);
        }
    }

    /** A file has -exp(A). */
    private static void logarithms(float[] powers) {
        for (int i = 0; i < powers.length; i++) {
            if (!(powers[i] < 0)) {
                throw new IllegalArgumentException("every number must be below 0, got " + powers[i] + " at " + i);
            }
            powers[i] = (float) Math.log(-powers[i]);
        }
    }

    private static void row(GgufTensor tensor, int row, float[] to) {
        tensor.row(row, to);
        for (int i = 0; i < to.length; i++) {
            if (!(Math.abs(to[i]) <= Checkpoint.MAX_MAGNITUDE)) {
                throw new IllegalArgumentException("every number must be at most " + Checkpoint.MAX_MAGNITUDE
                        + " in magnitude, got " + to[i] + " at row " + row + ", column " + i);
            }
        }
    }

    /** A scale beside a matrix, which its products are multiplied by. */
    private static float scale(Gguf gguf, String name) throws CheckpointException {
        GgufTensor scale = gguf.tensors().get(scaleName(name));
        if (scale == null) {
            return 1;
        }
        if (scale.rows() != 1 || scale.columns() != 1 || scale.type() != GgufType.F32) {
            throw new CheckpointException(gguf.file(),
                    "tensor " + scaleName(name) + " must be one number of type F32, got "
                            + scale.type() + " [" + scale.rows() + ", " + scale.columns() + "]");
        }
        float[] value = new float[1];
        scale.row(0, value);
        return value[0];
    }

    private static String scaleName(String name) {
        return name.replaceFirst("weight$", "scale");
    }
}
