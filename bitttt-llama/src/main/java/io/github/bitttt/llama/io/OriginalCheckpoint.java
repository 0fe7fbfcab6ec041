package io.github.bitttt.llama.io;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.BitLinear.Quantization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Imports checkpoints of the original Rust trainer (Bit-TTT-Engine at commit 49928b5): float32 tensors under our names plus
 * {@code lm_head.bias}, and no config. Sizes come from the shapes; the layer is the seed's, with bare codes and activations
 * that are not rounded.
 */
public final class OriginalCheckpoint implements ModelFormat {
    /** The format, which has no state. */
    OriginalCheckpoint() {
    }

    @Override
    public String name() {
        return "original";
    }

    @Override
    public String reads() {
        return "bit_llama_checkpoint.safetensors of the original Rust trainer, first format; F32";
    }

    @Override
    public String tested() {
        return "logits of the original's arithmetic in PyTorch, damaged files";
    }

    @Override
    public boolean accepts(Path path) {
        return path.toString().endsWith(".safetensors") && Files.isRegularFile(path);
    }

    @Override
    public List<Reading> readings() {
        return List.of(new Reading(Reading.Kind.FAMILY, name(), reads(), tested()));
    }

    @Override
    public ModelCard card(Path file) throws IOException {
        return new ModelCard(name(), name(), "",
                ModelCard.counted(Safetensors.read(file).tensors().values(), tensor -> tensor.type().toString()));
    }

    @Override
    public BitLlamaConfig config(Path file) throws IOException {
        return convert(file).config(); // the shapes of its tensors are its config
    }

    @Override
    public Checkpoint read(Path file) throws IOException {
        return convert(file);
    }

    /** Reads a checkpoint of the original trainer.
     *
     * @param file {@code bit_llama_checkpoint.safetensors} or {@code bit_llama_v1.safetensors}
     * @return masters with the config that the shapes tell
     * @throws CheckpointException if it is no such file
     * @throws IOException         if it cannot be read */
    public static Checkpoint convert(Path file) throws IOException {
        Safetensors tensors = Safetensors.read(file);
        int[] embedding = matrix(tensors, "embed.weight");
        int memory = matrix(tensors, "layers.0.ttt.down.weight")[0];
        int inner = matrix(tensors, "layers.0.mlp.gate_proj.weight")[0];
        int layers = 0;
        while (tensors.tensors().containsKey("layers." + layers + ".ttt.down.weight")) {
            layers++;
        }
        BitLlamaConfig config;
        int expected;
        try {
            config = new BitLlamaConfig(embedding[0], embedding[1], layers, inner, 1e-5,
                    BitLlamaConfig.Ttt.seed(memory), new Quantization(false, false), true);
            expected = new BitLlama(config).params().size();
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(file, e.getMessage(), e);
        }
        if (tensors.tensors().size() != expected) {
            throw new CheckpointException(file,
                    "a checkpoint of " + layers + " layers has " + expected + " tensors, got "
                            + tensors.tensors().size() + "; only the original trainer's first format can be imported");
        }
        String text = ConfigJson.write(config, "{}", file);
        Checkpoint read = ModelFolder.of(text, file, tensors);
        return new Checkpoint(read.config(), read.weights(), Map.of("imported_from", file.getFileName().toString()));
    }

    private static int[] matrix(Safetensors tensors, String name) throws CheckpointException {
        Tensor tensor = tensors.get(name);
        if (tensor.shape().size() != 2
                || tensor.shape().stream().anyMatch(size -> size < 1 || size > Integer.MAX_VALUE)) {
            throw new CheckpointException(tensors.file(),
                    "tensor " + name + " must be a matrix, got " + tensor.shape());
        }
        return tensor.shape().stream().mapToInt(Math::toIntExact).toArray();
    }
}
