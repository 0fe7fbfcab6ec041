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
import java.util.function.IntUnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Other people's ternary transformers as one GGUF file: BitNet b1.58 2B4T, models of the Llama kind, and Qwen3 (Ternary Bonsai).
 *
 * <p>The file is mapped. A ternary matrix goes row by row into the kernels' layout, an embedding or head of more than
 * {@link HuggingFaceFolder#MOST_FLOATS} numbers row by row into int8; nothing else is kept of it.
 */
final class GgufModel implements ModelFormat {
    static final String EMBEDDING = "token_embd.weight";
    static final String HEAD = "output.weight";
    private static final int TENSORS_OF_A_LAYER = 9;
    private static final Pattern LAYER = Pattern.compile("layers\\.(\\d+)\\.(.*)");
    private static final Map<String, String> OUTSIDE = Map.of("embed.weight", EMBEDDING, "norm_f.weight",
            "output_norm.weight", "lm_head.weight", HEAD);
    private static final Map<String, String> OF_A_LAYER = Map.ofEntries(Map.entry("norm1.weight", "attn_norm"),
            Map.entry("norm2.weight", "ffn_norm"), Map.entry("attention.sub_norm.weight", "attn_sub_norm"),
            Map.entry("mlp.sub_norm.weight", "ffn_sub_norm"),
            Map.entry("attention.q_norm.weight", "attn_q_norm"), Map.entry("attention.k_norm.weight", "attn_k_norm"),
            Map.entry("attention.q_proj.weight", "attn_q"),
            Map.entry("attention.k_proj.weight", "attn_k"), Map.entry("attention.v_proj.weight", "attn_v"),
            Map.entry("attention.o_proj.weight", "attn_output"), Map.entry("mlp.gate_proj.weight", "ffn_gate"),
            Map.entry("mlp.up_proj.weight", "ffn_up"), Map.entry("mlp.down_proj.weight", "ffn_down"));

    @Override
    public String name() {
        return "gguf";
    }

    @Override
    public String reads() {
        return "a GGUF file (versions 2, 3) of architecture bitnet-b1.58, bitnet-25, bitnet, llama or qwen3, with ternary tensors of types I2_S, "
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
        Set<String> rest = new HashSet<>(gguf.tensors().keySet());
        SequencedMap<Param, Weight> weights = new LinkedHashMap<>();
        checkMemory(gguf, params);
        for (Param param : params) {
            String name = theirs(param.path());
            weights.put(param, weight(keys, name, param));
            rest.remove(name);
            rest.remove(scaleName(name));
        }
        if (!rest.isEmpty()) {
            throw new CheckpointException(gguf.file(),
                    "tensor " + StrictJson.shown(rest.stream().sorted().findFirst().get())
                            + " is no part of a model that is read, so it would be computed wrongly without it");
        }
        return new Checkpoint(config, new Weights(weights), "{}", Map.of());
    }

    private static GgufTensor tensor(Gguf gguf, String name, Param param) throws CheckpointException {
        GgufTensor tensor = gguf.tensors().get(name);
        if (tensor == null) {
            throw new CheckpointException(gguf.file(),
                    "tensor " + name + " missing; found " + gguf.tensors().size() + " tensors");
        }
        int rows = param.shape().size() == 1 ? 1 : param.rows();
        int columns = param.shape().getLast();
        if (tensor.rows() != rows || tensor.columns() != columns) {
            throw new CheckpointException(gguf.file(), "tensor " + name + " must have " + rows + " rows of " + columns
                    + " numbers, got " + tensor.rows() + " of " + tensor.columns());
        }
        return tensor;
    }

    /** What is made of the file must fit into memory: rows of floats on the heap, codes beside it. */
    private static void checkMemory(Gguf gguf, List<Param> params) throws IOException {
        long bytes = 0;
        for (Param param : params) {
            GgufTensor tensor = tensor(gguf, theirs(param.path()), param);
            long numbers = (long) tensor.rows() * tensor.columns();
            if (param.kind() != Param.Kind.TERNARY) {
                bytes += numbers > HuggingFaceFolder.MOST_FLOATS ? numbers : 4 * numbers;
            }
        }
        Safetensors.checkMemory(gguf.file(), bytes);
    }

    private static Weight weight(GgufKeys keys, String name, Param param) throws CheckpointException {
        Gguf gguf = keys.gguf();
        GgufTensor tensor = tensor(gguf, name, param);
        try {
            if (param.kind() == Param.Kind.TERNARY) {
                return new Weight.Ternary(tensor.ternary(order(keys, name), scale(gguf, name)));
            }
            if ((long) tensor.rows() * tensor.columns() > HuggingFaceFolder.MOST_FLOATS) {
                return new Weight.Int8Rows(Int8Matrix.quantize((row, to) -> row(tensor, row, to), tensor.rows(),
                        tensor.columns()));
            }
            float[] all = new float[tensor.rows() * tensor.columns()];
            float[] one = new float[tensor.columns()];
            for (int row = 0; row < tensor.rows(); row++) {
                row(tensor, row, one);
                System.arraycopy(one, 0, all, row * one.length, one.length);
            }
            return new Weight.Floats(all);
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new CheckpointException(gguf.file(), "tensor " + name + ": " + e.getMessage(), e);
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

    /** Which row of the file each of ours is. */
    private static IntUnaryOperator order(GgufKeys keys, String name) throws CheckpointException {
        if (!keys.pairs() || !name.endsWith("attn_q.weight") && !name.endsWith("attn_k.weight")) {
            return IntUnaryOperator.identity();
        }
        int width = keys.headWidth();
        return row -> {
            int in = row % width;
            return row - in + (in < width / 2 ? 2 * in : 2 * in - width + 1);
        };
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

    /** The name of one of our parameters in such a file. */
    private static String theirs(String path) {
        Matcher layer = LAYER.matcher(path);
        if (!layer.matches()) {
            return OUTSIDE.get(path);
        }
        return "blk." + layer.group(1) + "." + OF_A_LAYER.get(layer.group(2)) + ".weight";
    }
}
