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
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A model on disk: a folder with {@code config.json}, {@code model.safetensors} and, beside them, {@code tokenizer.json}.
 *
 * <p><em>Masters</em> hold float32. <em>Packed</em> folders hold each ternary weight as uint8 [ceil(out/4), in] with
 * {@code <name>_scale} [1], or [out, in / group] where groups of inputs have scales of their own, embedding and head as int8 rows with {@code <name>_scale} [V].
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

    /** Reads a model, in the first of {@link ModelFormat#all()} that accepts it.
     *
     * @param folder with config and weights, or a file that holds a whole model
     * @return the model
     * @throws CheckpointException if a file says something wrong
     * @throws IOException         if a file is missing or cannot be read */
    public static Checkpoint load(Path folder) throws IOException {
        return ModelFormat.of(folder).read(folder);
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
        return ModelFolder.read(name, config, model);
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
                float[] scales = matrix.scales();
                tensors.put(param.path() + ModelFolder.SCALE, matrix.hasOneScale()
                        ? Tensor.of(scales, 1)
                        : Tensor.of(scales, param.rows(), scales.length / param.rows()));
            }
            case Weight.Int8Rows(Int8Matrix matrix) -> {
                tensors.put(param.path(), Tensor.of(Tensor.Type.I8, matrix.codes(), param.rows(), param.columns()));
                tensors.put(param.path() + ModelFolder.SCALE, Tensor.of(matrix.scales(), matrix.rows()));
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
                    for (float scale : matrix.scales()) {
                        digest.update(ByteBuffer.allocate(4).putFloat(scale).flip());
                    }
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
