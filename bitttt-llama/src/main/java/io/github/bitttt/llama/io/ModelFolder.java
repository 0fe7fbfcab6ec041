package io.github.bitttt.llama.io;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.tensor.Int8Matrix;
import io.github.bitttt.tensor.TernaryMatrix;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** Our own folders: {@code config.json} of model type bitllama and {@code model.safetensors}, masters or packed, see {@link Checkpoint}. */
final class ModelFolder implements ModelFormat {
    /** Behind the name of a packed tensor: its scale, or a scale for each row. */
    static final String SCALE = "_scale";
    // Two norms, two projections of the memory, three of the SwiGLU; the rest depends on the form.
    private static final int TENSORS_OF_A_LAYER = 7;
    private static final String HEAD_BIAS = "lm_head.bias";

    @Override
    public String name() {
        return "bitllama";
    }

    @Override
    public String reads() {
        return "a folder with config.json (model_type bitllama) and model.safetensors, or shards with "
                + ShardedTensors.INDEX + "; masters (F32, F16, BF16) and packed (U8 codes, I8 rows)";
    }

    @Override
    public String tested() {
        return "written and read back bit for bit, logits of an independent PyTorch program, damaged files";
    }

    /** Whatever nobody else accepts: its complaints say what a model folder holds. */
    @Override
    public boolean accepts(Path path) {
        return true;
    }

    @Override
    public List<Reading> readings() {
        return List
                .of(new Reading(Reading.Kind.FAMILY, name(), "models that bitttt has trained; " + reads(), tested()));
    }

    @Override
    public ModelCard card(Path folder) throws IOException {
        return card(name(), folder);
    }

    /** Of any folder with a config.json and safetensors. */
    static ModelCard card(String format, Path folder) throws IOException {
        Path configFile = folder.resolve(ConfigJson.FILE);
        Path model = folder.resolve(Checkpoint.MODEL_FILE);
        try (Arena arena = Arena.ofShared()) {
            return ModelCard.ofConfig(format, StrictJson.object(StrictJson.text(configFile), configFile, ""),
                    Files.exists(model)
                            ? Safetensors.map(model, arena)
                            : ShardedTensors.map(folder.resolve(ShardedTensors.INDEX), arena));
        }
    }

    @Override
    public BitLlamaConfig config(Path folder) throws IOException {
        Path file = folder.resolve(ConfigJson.FILE);
        return ConfigJson.parse(StrictJson.text(file), file);
    }

    @Override
    public Checkpoint read(Path folder) throws IOException {
        Path configFile = folder.resolve(ConfigJson.FILE);
        Path index = folder.resolve(ShardedTensors.INDEX);
        Path model = folder.resolve(Checkpoint.MODEL_FILE);
        boolean sharded = !Files.exists(model) && Files.isRegularFile(index);
        for (Path file : List.of(configFile, sharded ? index : model)) {
            if (!Files.isRegularFile(file)) {
                throw new CheckpointException(folder, file.getFileName() + " is missing; a model folder holds "
                        + ConfigJson.FILE + ", " + Checkpoint.MODEL_FILE + " and tokenizer.json");
            }
        }
        String config = StrictJson.text(configFile);
        try (Arena arena = Arena.ofShared()) {
            return of(config, configFile,
                    sharded ? ShardedTensors.map(index, arena) : Safetensors.map(model, arena));
        } catch (InternalError e) {
            // What Java throws where a mapped file has lost its end.
            throw new IOException(folder + ": a file became shorter while it was read", e);
        }
    }

    /** Reads a model whose file may be anything that can be streamed. */
    static Checkpoint read(String name, String config, InputStream model) throws IOException {
        Path origin = Path.of(name);
        return of(config, origin.resolve(ConfigJson.FILE),
                Safetensors.read(origin.resolve(Checkpoint.MODEL_FILE), model));
    }

    static Checkpoint of(String configText, Path configFile, TensorSource source) throws IOException {
        BitLlamaConfig config = ConfigJson.parse(configText, configFile)
                .withHeadBias(source.tensors().containsKey(HEAD_BIAS));
        List<Param> params = params(config, configFile, source);
        checkMemory(params, source);
        SequencedMap<Param, Weight> weights = new LinkedHashMap<>();
        for (Param param : params) {
            weights.put(param, weight(source, param));
        }
        return new Checkpoint(config, new Weights(weights), configText, source.metadata());
    }

    /** The parameters that a config asks for, made only if the file can have them: a config may say 2^31 layers. */
    private static List<Param> params(BitLlamaConfig config, Path configFile, TensorSource source)
            throws CheckpointException {
        if (config.layers() > source.tensors().size() / TENSORS_OF_A_LAYER) {
            throw new CheckpointException(configFile, "num_hidden_layers " + config.layers() + " takes at least "
                    + TENSORS_OF_A_LAYER + " tensors a layer, " + source.file() + " has " + source.tensors().size());
        }
        try {
            return new BitLlama(config).params();
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(configFile, e.getMessage(), e);
        }
    }

    /** A mapped file may be longer than memory, without being so on disk: better said than run into. */
    private static void checkMemory(List<Param> params, TensorSource source) throws IOException {
        long bytes = 0;
        for (Param param : params) {
            Tensor tensor = source.get(param.path());
            if (!packed(tensor, param)) {
                source.get(param.path(), param.shape());
                bytes += 4 * Tensor.length(tensor.shape());
            } else {
                bytes += tensor.data().byteSize();
            }
        }
        Safetensors.checkMemory(source.file(), bytes);
    }

    private static boolean packed(Tensor tensor, Param param) {
        return (tensor.type() == Tensor.Type.U8 || tensor.type() == Tensor.Type.I8)
                && param.kind() != Param.Kind.FLOAT;
    }

    /** How many scales a row of a ternary matrix has; 0 where there is one for all. */
    private static int groups(Tensor scale, Param param) {
        if (scale.shape().size() != 2 || scale.shape().getFirst() != param.rows()) {
            return 0;
        }
        long groups = scale.shape().getLast();
        return groups > 0 && groups <= param.columns() && param.columns() % groups == 0 ? (int) groups : 0;
    }

    private static Weight weight(TensorSource source, Param param) throws CheckpointException {
        if (!packed(source.get(param.path()), param)) {
            return new Weight.Floats(source.floats(param.path(), param.shape(), Checkpoint.MAX_MAGNITUDE));
        }
        boolean ternary = param.kind() == Param.Kind.TERNARY;
        int rows = ternary ? Math.ceilDiv(param.rows(), 4) : param.rows();
        Tensor codes = source.get(param.path(), List.of(rows, param.columns()));
        String scaleName = param.path() + SCALE;
        int groups = ternary ? groups(source.get(scaleName), param) : 0;
        float[] scales = source.floats(scaleName,
                groups > 0 ? List.of(param.rows(), groups) : List.of(ternary ? 1 : param.rows()),
                Checkpoint.MAX_MAGNITUDE);
        try {
            if (groups > 0) {
                return new Weight.Ternary(TernaryMatrix.unpackGroups(codes.data(), param.rows(), param.columns(),
                        param.columns() / groups, scales));
            }
            return ternary
                    ? new Weight.Ternary(
                            TernaryMatrix.unpack(codes.data(), param.rows(), param.columns(), scales[0]))
                    : new Weight.Int8Rows(new Int8Matrix(codes.bytes(), scales));
        } catch (IllegalArgumentException | IllegalStateException e) {
            throw new CheckpointException(source.file(param.path()),
                    "tensor " + param.path() + ": " + e.getMessage(), e);
        }
    }
}
