package io.github.bitttt.llama.io;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.tensor.FloatRows;
import io.github.bitttt.tensor.Int8Matrix;
import io.github.bitttt.tensor.TernaryMatrix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Other people's ternary transformers, in Hugging Face's form: {@code model_type} bitnet (BitNet b1.58 2B4T) and llama with
 * {@code quant_method} bitnet (Llama3-8B-1.58, Falcon3-1.58bit, Falcon-E). Masters and packed codes, one file or shards. And qwen3 whose
 * weights are ternary by groups (Ternary Bonsai), as floats or in MLX's two bits, see {@link GroupedTensors}.
 *
 * <p>A packed projection has a {@code weight_scale}. By {@code linear_class} autobitlinear it is beta and multiplies the sums;
 * by bitlinear, which is also meant where the key is absent, it is 1 / beta and divides them. Norms, embedding and head are
 * floats. An embedding or head of more than {@value #MOST_FLOATS} numbers is kept as int8 rows.
 *
 * <p>Source: transformers, {@code models/bitnet} and {@code integrations/bitnet.py}, version 5.18.
 */
final class HuggingFaceFolder implements ModelFormat {
    /** 256 MB of floats. */
    static final int MOST_FLOATS = 1 << 26;
    // A trained beta may be small: 1 / beta is up to 1e5.
    private static final float LARGEST_DIVISOR = 1e6f;
    private static final Pattern LAYER = Pattern.compile("layers\\.(\\d+)\\.(.*)");
    private static final Pattern PROJECTION = Pattern.compile("(attention|mlp)\\.([a-z]+_proj)(\\.norm)?\\.weight");
    private static final Map<String, String> OUTSIDE = Map.of("embed.weight", "model.embed_tokens.weight",
            "norm_f.weight", "model.norm.weight", "lm_head.weight", "lm_head.weight");
    private static final Map<String, String> NORMS = Map.of("norm1.weight", "input_layernorm.weight", "norm2.weight",
            "post_attention_layernorm.weight", "attention.q_norm.weight", "self_attn.q_norm.weight",
            "attention.k_norm.weight", "self_attn.k_norm.weight", "attention.sub_norm.weight",
            "self_attn.attn_sub_norm.weight",
            "mlp.sub_norm.weight", "mlp.ffn_sub_norm.weight");

    @Override
    public String name() {
        return "huggingface";
    }

    @Override
    public String reads() {
        return "a folder with config.json (model_type bitnet, or llama with quant_method bitnet) and model.safetensors or shards: "
                + "BitNet b1.58 2B4T, Llama3-8B-1.58, Falcon3-1.58bit, Falcon-E, masters and packed; and model_type qwen3 with a scale "
                + "for each 128 or 64 inputs (Ternary Bonsai 1.7B, 4B, 8B), as floats or MLX 2-bit";
    }

    @Override
    public String tested() {
        return "meets transformers 5.18 in float32 on synthetic checkpoints of the same form; published weights were not tried";
    }

    @Override
    public boolean accepts(Path path) throws IOException {
        Path config = path.resolve(ConfigJson.FILE);
        if (!Files.isRegularFile(config)) {
            return false;
        }
        try {
            JsonNode type = StrictJson.object(StrictJson.text(config), config, "").path("model_type");
            return HuggingFaceConfig.TYPES.contains(type.asText());
        } catch (CheckpointException e) {
            return false; // the complaint is that of the format that accepts everything
        }
    }

    @Override
    public List<Reading> readings() {
        return Readings.huggingFace(HuggingFaceConfig.TYPES);
    }

    @Override
    public ModelCard card(Path folder) throws IOException {
        return ModelFolder.card(name(), folder);
    }

    @Override
    public BitLlamaConfig config(Path folder) throws IOException {
        Path file = folder.resolve(ConfigJson.FILE);
        return HuggingFaceConfig.parse(StrictJson.text(file), file).config();
    }

    @Override
    public Checkpoint read(Path folder) throws IOException {
        Path configFile = folder.resolve(ConfigJson.FILE);
        String text = StrictJson.text(configFile);
        HuggingFaceConfig config = HuggingFaceConfig.parse(text, configFile);
        Path index = folder.resolve(ShardedTensors.INDEX);
        Path model = folder.resolve(Checkpoint.MODEL_FILE);
        boolean sharded = !Files.exists(model) && Files.isRegularFile(index);
        if (!sharded && !Files.isRegularFile(model)) {
            throw new CheckpointException(folder,
                    Checkpoint.MODEL_FILE + " is missing, and so is " + ShardedTensors.INDEX);
        }
        try (Arena arena = Arena.ofShared()) {
            return of(config, configFile, sharded ? ShardedTensors.map(index, arena) : Safetensors.map(model, arena));
        } catch (InternalError e) {
            // What Java throws where a mapped file has lost its end.
            throw new IOException(folder + ": a file became shorter while it was read", e);
        }
    }

    private static Checkpoint of(HuggingFaceConfig form, Path configFile, TensorSource source) throws IOException {
        BitLlamaConfig config = form.config();
        int fewest = 9; // two norms, four projections of attention, three of the feed-forward layer
        if (config.layers() > source.tensors().size() / fewest) {
            throw new CheckpointException(configFile,
                    "num_hidden_layers " + config.layers() + " takes at least " + fewest
                            + " tensors a layer, " + source.file() + " has " + source.tensors().size());
        }
        List<Param> params;
        try {
            params = new BitLlama(config).params();
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(configFile, e.getMessage(), e);
        }
        checkMemory(form, params, source);
        SequencedMap<Param, Weight> weights = new LinkedHashMap<>();
        for (Param param : params) {
            weights.put(param, weight(form, source, param));
        }
        return new Checkpoint(config, new Weights(weights), "{}", source.metadata());
    }

    private static void checkMemory(HuggingFaceConfig form, List<Param> params, TensorSource source)
            throws IOException {
        long bytes = 0;
        for (Param param : params) {
            Tensor tensor = source.get(theirs(param.path()));
            long numbers = Tensor.length(tensor.shape());
            if (param.kind() != Param.Kind.TERNARY) {
                bytes += numbers > MOST_FLOATS ? numbers : 4 * numbers;
            } else if (!form.groups() && tensor.type() != Tensor.Type.U8) {
                bytes += 4 * numbers; // masters; codes lie beside the heap
            }
        }
        Safetensors.checkMemory(source.file(), bytes);
    }

    private static Weight weight(HuggingFaceConfig form, TensorSource source, Param param) throws CheckpointException {
        String name = theirs(param.path());
        boolean packed = source.get(name).type() == Tensor.Type.U8;
        try {
            if (source.get(name).type() == Tensor.Type.U32 && form.groups()) {
                GroupedTensors.Mlx mlx = GroupedTensors.Mlx.of(source, name, param);
                return param.kind() == Param.Kind.TERNARY
                        ? new Weight.Ternary(mlx.matrix(param))
                        : rows(mlx::row, param);
            }
            if (form.groups() && param.kind() == Param.Kind.TERNARY) {
                return new Weight.Ternary(GroupedTensors.ofFloats(source.get(name, param.shape()), param));
            }
            if (packed && param.kind() == Param.Kind.TERNARY) {
                Tensor codes = source.get(name, List.of(Math.ceilDiv(param.rows(), 4), param.columns()));
                return new Weight.Ternary(TernaryMatrix.unpack(codes.data(), param.rows(), param.columns(),
                        beta(form, source, name)));
            }
            if (param.kind() == Param.Kind.ROWS && (long) param.rows() * param.columns() > MOST_FLOATS) {
                Tensor tensor = source.get(name, param.shape());
                return rows((row, to) -> tensor.floats((long) row * to.length, to), param);
            }
            return new Weight.Floats(source.floats(name, param.shape(), Checkpoint.MAX_MAGNITUDE));
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new CheckpointException(source.file(name), "tensor " + name + ": " + e.getMessage(), e);
        }
    }

    /** An embedding or head, row by row: as floats, or as int8 rows where that is too large. */
    private static Weight rows(FloatRows rows, Param param) {
        FloatRows checked = (row, to) -> {
            rows.read(row, to);
            for (float number : to) {
                if (!(Math.abs(number) <= Checkpoint.MAX_MAGNITUDE)) {
                    throw new IllegalArgumentException("every number must be at most " + Checkpoint.MAX_MAGNITUDE
                            + " in magnitude, got " + number + " in row " + row);
                }
            }
        };
        if ((long) param.rows() * param.columns() > MOST_FLOATS) {
            return new Weight.Int8Rows(Int8Matrix.quantize(checked, param.rows(), param.columns()));
        }
        float[] all = new float[param.rows() * param.columns()];
        float[] one = new float[param.columns()];
        for (int row = 0; row < param.rows(); row++) {
            checked.read(row, one);
            System.arraycopy(one, 0, all, row * one.length, one.length);
        }
        return new Weight.Floats(all);
    }

    private static float beta(HuggingFaceConfig form, TensorSource source, String name) throws CheckpointException {
        String scaleName = name + "_scale";
        float scale = source.floats(scaleName, List.of(1),
                form.scaleDivides() ? LARGEST_DIVISOR : Checkpoint.MAX_MAGNITUDE)[0];
        float beta = form.scaleDivides() ? 1 / scale : scale;
        if (!(beta > 0 && beta <= Checkpoint.MAX_MAGNITUDE)) {
            throw new CheckpointException(source.file(scaleName), "tensor " + scaleName + " must make a scale in (0, "
                    + Checkpoint.MAX_MAGNITUDE + "], got " + scale + (form.scaleDivides() ? ", which divides" : ""));
        }
        return beta;
    }

    /** The name of one of our parameters in such a file. */
    static String theirs(String path) {
        Matcher layer = LAYER.matcher(path);
        if (!layer.matches()) {
            return OUTSIDE.get(path);
        }
        String prefix = "model.layers." + layer.group(1) + ".";
        String norm = NORMS.get(layer.group(2));
        if (norm != null) {
            return prefix + norm;
        }
        Matcher projection = PROJECTION.matcher(layer.group(2));
        if (!projection.matches()) {
            throw new AssertionError("no transformer has " + path);
        }
        return prefix + (projection.group(1).equals("mlp") ? "mlp." : "self_attn.") + projection.group(2)
                + (projection.group(3) == null ? "" : ".rms_norm") + ".weight";
    }
}
