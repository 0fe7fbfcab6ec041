package io.github.bitttt.spark;

import io.github.bitttt.llama.chat.ChatSettings;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** A model on its way to the executors: broadcast as the bytes of its files, read once in each JVM, shared by its tasks. */
final class PackedModel implements Serializable {
    private static final long serialVersionUID = 1;

    private final String config;
    private final byte[] weights;
    private final String tokenizer;
    private final String generationConfig; // empty for none
    private final String chat;
    private transient Model model;

    private PackedModel(String config, byte[] weights, String tokenizer, String generationConfig, String chat) {
        this.config = config;
        this.weights = weights;
        this.tokenizer = tokenizer;
        this.generationConfig = generationConfig;
        this.chat = chat;
    }

    static PackedModel of(Zoo.Entry entry) throws IOException {
        Checkpoint checkpoint = entry.checkpoint();
        Path folder = Files.createTempDirectory("bitttt-model");
        try {
            checkpoint.saveWeights(folder);
            byte[] weights = Files.readAllBytes(folder.resolve(Checkpoint.MODEL_FILE));
            return new PackedModel(checkpoint.configJson(), weights, entry.tokenizer().json(),
                    entry.generationConfig().orElse(""), entry.chat().json());
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
                Tokenizer parsed = Tokenizer.parse(tokenizer, "the broadcast tokenizer");
                model = Model.of(new Zoo.Entry("broadcast", checkpoint, parsed,
                        Optional.of(generationConfig).filter(text -> !text.isEmpty()),
                        ChatSettings.of(chat, chat, Optional.empty())));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return model;
    }
}
