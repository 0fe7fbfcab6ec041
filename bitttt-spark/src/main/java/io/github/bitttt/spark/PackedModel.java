package io.github.bitttt.spark;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A model on its way to the executors: broadcast as the bytes of its files, read once in each JVM, shared by its tasks. */
final class PackedModel implements Serializable {
    private static final long serialVersionUID = 1;

    private final String config;
    private final byte[] weights;
    private final String tokenizer;
    private transient Model model;

    private PackedModel(String config, byte[] weights, String tokenizer) {
        this.config = config;
        this.weights = weights;
        this.tokenizer = tokenizer;
    }

    static PackedModel of(Checkpoint checkpoint, Tokenizer tokenizer) throws IOException {
        Path folder = Files.createTempDirectory("bitttt-model");
        try {
            checkpoint.saveWeights(folder);
            byte[] weights = Files.readAllBytes(folder.resolve(Checkpoint.MODEL_FILE));
            return new PackedModel(checkpoint.configJson(), weights, tokenizer.json());
        } finally {
            Files.deleteIfExists(folder.resolve(Checkpoint.MODEL_FILE));
            Files.delete(folder);
        }
    }

    long bytes() {
        return weights.length;
    }

    synchronized Model get() {
        if (model == null) {
            try {
                Checkpoint checkpoint = Checkpoint.read("broadcast", config, new ByteArrayInputStream(weights));
                model = Model.of(checkpoint, Tokenizer.parse(tokenizer, "the broadcast tokenizer"));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return model;
    }
}
