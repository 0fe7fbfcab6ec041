package io.github.bitttt.llama.zoo;

import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * The named pretrained models, which travel inside the jar.
 */
public final class Zoo {
    /** A Bit-Llama of 256 dimensions and 4 layers, trained on TinyStories. */
    public static final String DEFAULT = "stories-256x4";

    /** The same with the memory layer of the original engine, for comparison: it tells stories worse and does not remember. */
    public static final String SEED = "stories-256x4-seed";

    private static final List<String> NAMES = List.of(DEFAULT, SEED);

    private Zoo() {
    }

    /**
     * A model of the zoo, or of a folder.
     *
     * @param name       its name or folder
     * @param checkpoint config and weights
     * @param tokenizer  of the same vocabulary
     */
    public record Entry(String name, Checkpoint checkpoint, Tokenizer tokenizer) {}

    /** The models there are.
     *  @return their names */
    public static List<String> names() {
        return NAMES;
    }

    /** Loads a model by its name.
     *
     * @param name one of {@link #names()}, or a model folder
     * @return the model
     * @throws IOException if there is neither, or a file says something wrong */
    public static Entry load(String name) throws IOException {
        // A process's first tokenizer brings native code and takes as long as the weights do, so both are read at once.
        FutureTask<Tokenizer> tokenizer = new FutureTask<>(() -> tokenizer(name));
        Thread.ofPlatform().daemon().name("bitttt-tokenizer").start(tokenizer);
        Checkpoint checkpoint = checkpoint(name);
        try {
            return new Entry(name, checkpoint, tokenizer.get());
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException cause) {
                throw cause;
            }
            throw new IllegalStateException(name + ": its tokenizer cannot be loaded: " + e.getCause(), e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException(name + ": interrupted while its tokenizer was loaded");
        }
    }

    private static Tokenizer tokenizer(String name) throws IOException {
        return NAMES.contains(name)
                ? Tokenizer.parse(resource(name, Tokenizer.FILE), name + "/" + Tokenizer.FILE)
                : Tokenizer.load(Path.of(name));
    }

    /** Loads a model's config and weights, for which its folder needs no tokenizer.
     *
     * @param name one of {@link #names()}, or a model folder
     * @return config and weights
     * @throws IOException if there is neither, or a file says something wrong */
    public static Checkpoint checkpoint(String name) throws IOException {
        if (!NAMES.contains(name)) {
            if (Files.isDirectory(Path.of(name))) {
                return Checkpoint.load(Path.of(name));
            }
            throw new IOException(name + ": neither a model folder nor a name of the zoo; the zoo has " + NAMES);
        }
        try (InputStream in = open(name, Checkpoint.MODEL_FILE)) {
            return Checkpoint.read(name, resource(name, "config.json"), in);
        }
    }

    /** The model card: data, licence, command, seeds, losses.
     *
     * @param name one of {@link #names()}
     * @return Markdown */
    public static String card(String name) {
        try {
            return resource(name, "README.md");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String resource(String name, String file) throws IOException {
        try (InputStream in = open(name, file)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static InputStream open(String name, String file) throws IOException {
        InputStream in = Zoo.class.getResourceAsStream(name + "/" + file);
        if (in == null) {
            throw new IOException(name + ": " + file + " is not in this jar; the zoo has " + NAMES);
        }
        return in;
    }
}
