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
import java.util.SequencedMap;

/**
 * Other people's ternary transformers, in Hugging Face's form: {@code model_type} bitnet (BitNet b1.58 2B4T) and llama with
 * {@code quant_method} bitnet (Llama3-8B-1.58, Falcon3-1.58bit, Falcon-E). Masters and packed codes, one file or shards. And qwen3 whose
 * weights are ternary by groups (Ternary Bonsai), its hybrids qwen3_5 and qwen3_next, as floats or in MLX's two bits, see
 * {@link GroupedTensors}.
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
    @Override
    public String name() {
        return "huggingface";
    }

    @Override
    public String reads() {
        return "a folder with config.json (model_type bitnet, or llama with quant_method bitnet) and model.safetensors or shards: "
                + "BitNet b1.58 2B4T, Llama3-8B-1.58, Falcon3-1.58bit, Falcon-E, masters and packed; and model_type qwen3 with a scale "
                + "for each 128 or 64 inputs (Ternary Bonsai 1.7B, 4B, 8B), qwen3_5 (27B) and qwen3_next, as floats or MLX 2-bit";
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
        HuggingFaceNames names = HuggingFaceNames.of(config, form.form(), source);
        checkMemory(form, names, params, source);
        SequencedMap<Param, Weight> weights = new LinkedHashMap<>();
        for (Param param : params) {
            weights.put(param, weight(form, source, param, names.place(param)));
        }
        return new Checkpoint(config, new Weights(weights), "{}", source.metadata());
    }

    private static void checkMemory(HuggingFaceConfig form, HuggingFaceNames names, List<Param> params,
            TensorSource source) throws IOException {
        long bytes = 0;
        for (Param param : params) {
            Tensor tensor = source.get(names.place(param).name());
            long numbers = (long) param.rows() * param.columns();
            if (param.kind() != Param.Kind.TERNARY) {
                bytes += numbers > MOST_FLOATS ? numbers : 4 * numbers;
            } else if (!form.groups() && tensor.type() != Tensor.Type.U8) {
                bytes += 4 * numbers; // masters; codes lie beside the heap
            }
        }
        Safetensors.checkMemory(source.file(), bytes);
    }

    private static Weight weight(HuggingFaceConfig form, TensorSource source, Param param, HuggingFaceNames.Place place)
            throws CheckpointException {
        String name = place.name();
        Tensor tensor = source.get(name);
        try {
            if (tensor.type() == Tensor.Type.U32 && form.groups()) {
                GroupedTensors.Mlx mlx = GroupedTensors.Mlx.of(source, name, place.rows(), param.columns());
                return param.kind() == Param.Kind.TERNARY
                        ? new Weight.Ternary(mlx.matrix(param.rows(), place.order()))
                        : rows((row, to) -> mlx.row(place.order().applyAsInt(row), to), param);
            }
            if (form.groups() && param.kind() == Param.Kind.TERNARY) {
                return new Weight.Ternary(
                        GroupedTensors.ofFloats(source.get(name, List.of(place.rows(), param.columns())),
                                param, place.order()));
            }
            if (tensor.type() == Tensor.Type.U8 && param.kind() == Param.Kind.TERNARY) {
                Tensor codes = source.get(name, List.of(Math.ceilDiv(param.rows(), 4), param.columns()));
                return new Weight.Ternary(TernaryMatrix.unpack(codes.data(), param.rows(), param.columns(),
                        beta(form, source, name)));
            }
            if (param.kind() == Param.Kind.TERNARY) {
                return new Weight.Floats(source.floats(name, param.shape(), Checkpoint.MAX_MAGNITUDE));
            }
            checkShape(source, name, place.rows(), param);
            return rows((row, to) -> {
                tensor.floats((long) place.order().applyAsInt(row) * to.length, to);
                for (int i = 0; i < to.length; i++) {
                    to[i] += place.plus();
                }
            }, param);
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new CheckpointException(source.file(name), "tensor " + name + ": " + e.getMessage(), e);
        }
    }

    /** A convolution's kernel has a dimension of 1 more, where MLX and Hugging Face differ. */
    private static void checkShape(TensorSource source, String name, int rows, Param param) throws CheckpointException {
        List<Integer> shape = param.shape().size() == 1 ? param.shape() : List.of(rows, param.columns());
        List<Long> got = source.get(name).shape();
        if (got.size() != 3 || !got.stream().filter(size -> size != 1).map(Long::intValue).toList().equals(shape)) {
            source.get(name, shape);
        }
    }

    /** What is not ternary, row by row: as floats, or as int8 rows where an embedding or head is too large for that. */
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
        if (param.kind() == Param.Kind.ROWS && (long) param.rows() * param.columns() > MOST_FLOATS) {
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
}
