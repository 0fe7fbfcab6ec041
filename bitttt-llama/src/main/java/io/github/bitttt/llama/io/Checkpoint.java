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
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A model on disk: a folder with {@code config.json}, {@code model.safetensors} and, beside them, {@code tokenizer.json}.
 *
 * <p><em>Masters</em> hold float32. <em>Packed</em> folders hold each ternary weight as uint8 [ceil(out/4), in] with
 * {@code <name>_scale} [1], embedding and head as int8 rows with {@code <name>_scale} [V].
 *
 * @param config     sizes and forms
 * @param weights    masters or packed
 * @param configText of the file it came from, whose unknown keys are kept; {@code {}} for a new model
 * @param metadata   text that travels with the weights: data, seeds, losses
 */
public record Checkpoint(BitLlamaConfig config, Weights weights, String configText, Map<String, String> metadata) {
    /** The weights' file in a model folder. */
    public static final String MODEL_FILE = "model.safetensors";
    /** The largest number of a model that is read. Weights of trained models are about 1; up to this, sums of products of as
     * many as a model has stay below the largest float, so that what it computes is finite for ever. */
    public static final float MAX_MAGNITUDE = 1000;
    private static final String SCALE = "_scale";
    // Two norms, two projections of the memory, three of the SwiGLU; the rest depends on the form.
    private static final int TENSORS_OF_A_LAYER = 7;
    private static final String HEAD_BIAS = "lm_head.bias";

    /** Checks that the weights are this config's. */
    public Checkpoint {
        metadata = Map.copyOf(metadata);
        new BitLlama(config).params().forEach(weights::get);
    }

    /** A model that comes from no file.
     *
     * @param config   sizes and forms
     * @param weights  its numbers
     * @param metadata text that travels with them */
    public Checkpoint(BitLlamaConfig config, Weights weights, Map<String, String> metadata) {
        this(config, weights, "{}", metadata);
    }

    /** Reads a model folder.
     *
     * @param folder with config and weights
     * @return the model
     * @throws CheckpointException if a file says something wrong
     * @throws IOException         if a file is missing or cannot be read */
    public static Checkpoint load(Path folder) throws IOException {
        for (String name : List.of(ConfigJson.FILE, MODEL_FILE)) {
            if (!Files.isRegularFile(folder.resolve(name))) {
                throw new CheckpointException(folder,
                        name + " is missing; a model folder holds " + ConfigJson.FILE + ", "
                                + MODEL_FILE + " and tokenizer.json");
            }
        }
        Path configFile = folder.resolve(ConfigJson.FILE);
        return of(StrictJson.text(configFile), configFile, Safetensors.read(folder.resolve(MODEL_FILE)));
    }

    /** Reads a model from a stream, such as a class path resource.
     *
     * @param name   of its origin, for messages
     * @param config the contents of {@code config.json}
     * @param model  the contents of {@value #MODEL_FILE}
     * @return the model
     * @throws CheckpointException if one of them says something wrong
     * @throws IOException         if the stream cannot be read */
    public static Checkpoint read(String name, String config, InputStream model) throws IOException {
        Path origin = Path.of(name);
        return of(config, origin.resolve(ConfigJson.FILE), Safetensors.read(origin.resolve(MODEL_FILE), model));
    }

    static Checkpoint of(String configText, Path configFile, Safetensors file) throws IOException {
        BitLlamaConfig config = ConfigJson.parse(configText, configFile)
                .withHeadBias(file.tensors().containsKey(HEAD_BIAS));
        SequencedMap<Param, Weight> weights = new LinkedHashMap<>();
        for (Param param : params(config, configFile, file)) {
            weights.put(param, weight(file, param));
        }
        return new Checkpoint(config, new Weights(weights), configText, file.metadata());
    }

    /** The parameters that a config asks for, made only if the file can have them: a config may say 2^31 layers. */
    private static List<Param> params(BitLlamaConfig config, Path configFile, Safetensors file)
            throws CheckpointException {
        if (config.layers() > file.tensors().size() / TENSORS_OF_A_LAYER) {
            throw new CheckpointException(configFile, "num_hidden_layers " + config.layers() + " takes at least "
                    + TENSORS_OF_A_LAYER + " tensors a layer, " + file.file() + " has " + file.tensors().size());
        }
        try {
            return new BitLlama(config).params();
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(configFile, e.getMessage(), e);
        }
    }

    private static Weight weight(Safetensors file, Param param) throws CheckpointException {
        Tensor tensor = file.get(param.path());
        boolean packed = (tensor.type() == Tensor.Type.U8 || tensor.type() == Tensor.Type.I8)
                && param.kind() != Param.Kind.FLOAT;
        if (!packed) {
            return new Weight.Floats(file.floats(param.path(), param.shape(), MAX_MAGNITUDE));
        }
        boolean ternary = param.kind() == Param.Kind.TERNARY;
        int rows = ternary ? Math.ceilDiv(param.rows(), 4) : param.rows();
        byte[] codes = file.get(param.path(), List.of(rows, param.columns())).bytes();
        float[] scales = file.floats(param.path() + SCALE, List.of(ternary ? 1 : param.rows()), MAX_MAGNITUDE);
        try {
            return ternary
                    ? new Weight.Ternary(TernaryMatrix.unpack(codes, param.rows(), param.columns(), scales[0]))
                    : new Weight.Int8Rows(new Int8Matrix(codes, scales));
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(file.file(), "tensor " + param.path() + ": " + e.getMessage(), e);
        }
    }

    /** The config as {@code config.json} holds it, unknown keys included.
     *
     * @return JSON, which {@link #config(String)} reads */
    public String configJson() {
        try {
            return ConfigJson.write(config, configText, Path.of(ConfigJson.FILE));
        } catch (CheckpointException e) {
            throw new AssertionError("the text was read as JSON before", e);
        }
    }

    /** Reads sizes and forms alone.
     *
     * @param json the contents of a {@code config.json}
     * @return the config
     * @throws CheckpointException if it says something wrong */
    public static BitLlamaConfig config(String json) throws CheckpointException {
        return ConfigJson.parse(json, Path.of(ConfigJson.FILE));
    }

    /** The same model with ternary codes and int8 rows: about a sixth of the size.
     *
     * @return a packed checkpoint */
    public Checkpoint pack() {
        return new Checkpoint(config, weights.pack(config.quantization().scaleWeights()), configText, metadata);
    }

    /** Writes a new model folder, whole or not at all.
     *
     * @param folder    which must not exist yet
     * @param tokenizer the contents of {@code tokenizer.json}; empty for none
     * @throws IOException if the folder exists or cannot be written */
    public void save(Path folder, String tokenizer) throws IOException {
        AtomicFile.checkNewFolder(folder);
        Path absolute = folder.toAbsolutePath();
        Files.createDirectories(absolute.getParent());
        Path beside = AtomicFile.beside(absolute);
        Files.createDirectory(beside);
        try {
            AtomicFile.write(beside.resolve(ConfigJson.FILE), ConfigJson.write(config, configText, folder));
            if (!tokenizer.isEmpty()) {
                AtomicFile.write(beside.resolve("tokenizer.json"), tokenizer);
            }
            saveWeights(beside);
            AtomicFile.checkNewFolder(folder);
            Files.move(beside, absolute, StandardCopyOption.ATOMIC_MOVE);
            AtomicFile.forceFolder(absolute.getParent());
        } finally {
            AtomicFile.delete(beside);
        }
    }

    /** Replaces the weights in a model folder of the same config: the old file stays whole until the new one is.
     *
     * @param folder with this config
     * @throws IOException if that fails; what was there before is there still */
    public void saveWeights(Path folder) throws IOException {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        for (Param param : weights.params()) {
            put(tensors, param, weights.get(param));
        }
        Safetensors.write(folder.resolve(MODEL_FILE), tensors, metadata);
    }

    private static void put(SequencedMap<String, Tensor> tensors, Param param, Weight weight) {
        switch (weight) {
            case Weight.Floats(float[] values) -> tensors.put(param.path(),
                    Tensor.of(values, param.shape().stream().mapToLong(Integer::longValue).toArray()));
            case Weight.Ternary(TernaryMatrix matrix) -> {
                byte[] packed = matrix.pack();
                tensors.put(param.path(),
                        Tensor.of(Tensor.Type.U8, packed, Math.ceilDiv(param.rows(), 4), param.columns()));
                tensors.put(param.path() + SCALE, Tensor.of(new float[]{matrix.scale()}, 1));
            }
            case Weight.Int8Rows(Int8Matrix matrix) -> {
                tensors.put(param.path(), Tensor.of(Tensor.Type.I8, matrix.codes(), param.rows(), param.columns()));
                tensors.put(param.path() + SCALE, Tensor.of(matrix.scales(), matrix.rows()));
            }
        }
    }

    /** What a memory belongs to: SHA-256 over the config and the ternary codes and scales, the same for masters and packed.
     *
     * @return 64 hexadecimal digits */
    public String fingerprint() {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            digest.update(ConfigJson.write(config, "{}", Path.of(ConfigJson.FILE)).getBytes(StandardCharsets.UTF_8));
            Weights frozen = weights.freeze(config.quantization().scaleWeights());
            for (Param param : frozen.params()) {
                if (frozen.get(param) instanceof Weight.Ternary(TernaryMatrix matrix)) {
                    digest.update(param.path().getBytes(StandardCharsets.UTF_8));
                    digest.update(matrix.pack());
                    digest.update(ByteBuffer.allocate(4).putFloat(matrix.scale()).flip());
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException | CheckpointException e) {
            throw new AssertionError("every Java has SHA-256, and an empty object is JSON", e);
        }
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "Checkpoint[%s, %s, %,d bytes]", new BitLlama(config),
                weights.areMasters() ? "masters" : "packed", weights.bytes());
    }
}
