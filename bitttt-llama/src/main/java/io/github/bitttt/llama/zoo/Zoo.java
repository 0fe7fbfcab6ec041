package io.github.bitttt.llama.zoo;

import io.github.bitttt.llama.hub.HubCache;
import io.github.bitttt.llama.hub.HubName;
import io.github.bitttt.llama.chat.ChatSettings;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.CheckpointException;
import io.github.bitttt.llama.io.ModelFormat;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
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

    /** The default model, trained further on three times as much text: it tells better stories, and remembers less of what it read. */
    public static final String MORE = "stories-256x4-18m";

    /** The file of a model folder that says how its texts are written. */
    public static final String GENERATION_CONFIG = "generation_config.json";

    private static final String TOKENIZER_CONFIG = "tokenizer_config.json";
    private static final String CHAT_TEMPLATE = "chat_template.jinja";
    private static final int MAX_CONFIG_BYTES = 1 << 22; // a tokenizer_config.json may repeat thousands of added tokens
    private static final List<String> NAMES = List.of(DEFAULT, MORE, SEED);

    private Zoo() {
    }

    /**
     * A model of the zoo, or of a folder.
     *
     * @param name       its name or folder
     * @param checkpoint config and weights
     * @param tokenizer  of the same vocabulary; to be closed
     * @param generationConfig text of its {@value #GENERATION_CONFIG}, if it has one
     * @param chat       what its files say about conversations
     */
    public record Entry(String name, Checkpoint checkpoint, Tokenizer tokenizer, Optional<String> generationConfig,
            ChatSettings chat) {
        /** A model that tells stories.
         *
         * @param name       its name or folder
         * @param checkpoint config and weights
         * @param tokenizer  of the same vocabulary; to be closed
         * @param generationConfig text of its {@value #GENERATION_CONFIG}, if it has one */
        public Entry(String name, Checkpoint checkpoint, Tokenizer tokenizer, Optional<String> generationConfig) {
            this(name, checkpoint, tokenizer, generationConfig, ChatSettings.STORIES);
        }

        /** The same with another checkpoint, such as one of other rounding.
         *
         * @param other config and weights
         * @return an entry */
        public Entry with(Checkpoint other) {
            return new Entry(name, other, tokenizer, generationConfig, chat);
        }
    }

    /** The models there are.
     *  @return their names */
    public static List<String> names() {
        return NAMES;
    }

    /** Loads a model by its name.
     *
     * @param name one of {@link #names()}, a model folder, a file that holds a whole model, or a model of the hub's cache, see {@link #place}
     * @return the model
     * @throws IOException if there is neither, or a file says something wrong */
    public static Entry load(String name) throws IOException {
        if (!NAMES.contains(name)) {
            return load(folder(name));
        }
        return load(name, () -> checkpoint(name),
                () -> Tokenizer.parse(resource(name, Tokenizer.FILE), name + "/" + Tokenizer.FILE),
                Optional.of(resource(name, GENERATION_CONFIG)), () -> ChatSettings.STORIES);
    }

    /** Loads a model folder, or a file that holds a whole model.
     *
     * @param folder with config, weights and tokenizer, or such a file
     * @return the model
     * @throws IOException if a file is missing or says something wrong */
    public static Entry load(Path folder) throws IOException {
        return load(folder.toString(), () -> Checkpoint.load(folder), () -> tokenizer(folder),
                generationConfig(folder), () -> chat(folder));
    }

    private static ChatSettings chat(Path place) throws IOException {
        if (Files.isRegularFile(place)) {
            String inside = ModelFormat.of(place).chatConfig(place).orElse("{}");
            return ChatSettings.of(inside, inside, Optional.empty());
        }
        Path tokenizerConfig = place.resolve(TOKENIZER_CONFIG);
        try {
            return ChatSettings.of(text(place.resolve("config.json")).orElse("{}"),
                    text(tokenizerConfig).orElse("{}"), text(place.resolve(CHAT_TEMPLATE)));
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(tokenizerConfig, e.getMessage(), e);
        }
    }

    private static Tokenizer tokenizer(Path folder) throws IOException {
        Optional<String> inside = ModelFormat.of(folder).tokenizerJson(folder);
        return inside.isPresent()
                ? Tokenizer.parse(inside.get(), folder.toString())
                : Tokenizer.load(folder);
    }

    /** Reads something of a model. */
    @FunctionalInterface
    private interface Reading<T> {
        T read() throws IOException;
    }

    private static Entry load(String name, Reading<Checkpoint> checkpoint, Reading<Tokenizer> tokenizer,
            Optional<String> generationConfig, Reading<ChatSettings> chat) throws IOException {
        // A process's first tokenizer brings native code and takes as long as the weights do, so both are read at once.
        FutureTask<Tokenizer> read = new FutureTask<>(tokenizer::read);
        Thread.ofPlatform().daemon().name("bitttt-tokenizer").start(read);
        try {
            return new Entry(name, checkpoint.read(), read.get(), generationConfig, chat.read());
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

    /** How a model's texts are written, as its file says.
     *
     * @param name one of {@link #names()}, or what {@link #place} finds
     * @return the text of its {@value #GENERATION_CONFIG}, or nothing if it has none
     * @throws IOException if it cannot be read */
    public static Optional<String> generationConfig(String name) throws IOException {
        return NAMES.contains(name) ? Optional.of(resource(name, GENERATION_CONFIG)) : generationConfig(folder(name));
    }

    private static Optional<String> generationConfig(Path folder) throws IOException {
        if (Files.isRegularFile(folder)) {
            return ModelFormat.of(folder).generationConfig(folder);
        }
        return text(folder.resolve(GENERATION_CONFIG));
    }

    private static Optional<String> text(Path file) throws IOException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_CONFIG_BYTES + 1);
            if (bytes.length > MAX_CONFIG_BYTES) {
                throw new CheckpointException(file,
                        "must have at most " + MAX_CONFIG_BYTES + " bytes, got " + Files.size(file));
            }
            return Optional.of(new String(bytes, StandardCharsets.UTF_8));
        }
    }

    /** Where a model is: a folder or file of that name, else what the cache of the hub's tools has under it, see {@link HubCache}.
     *
     * @param name a path, or {@code ORG/NAME}, {@code ORG/NAME@REVISION}, {@code ORG/NAME:FILE.gguf}
     * @return its folder or file, or nothing if it is one of {@link #names()}
     * @throws IOException if it is in neither place */
    public static Optional<Path> place(String name) throws IOException {
        return NAMES.contains(name) ? Optional.empty() : Optional.of(folder(name));
    }

    private static Path folder(String name) throws IOException {
        Optional<Path> path = path(name).filter(Files::exists);
        if (path.isPresent()) {
            return path.get();
        }
        Optional<HubName> hub = HubName.parse(name);
        if (hub.isPresent()) {
            return HubCache.of(System.getenv()).find(hub.get());
        }
        throw new NoSuchFileException(name, null,
                "neither a model folder or file nor a name of the zoo; the zoo has " + NAMES);
    }

    private static Optional<Path> path(String name) {
        try {
            return Optional.of(Path.of(name));
        } catch (InvalidPathException e) {
            return Optional.empty(); // on Windows, no path has the colon of ORG/NAME:FILE.gguf
        }
    }

    /** Loads a model's config and weights, for which its folder needs no tokenizer.
     *
     * @param name one of {@link #names()}, a model folder, a file that holds a whole model, or a model of the hub's cache, see {@link #place}
     * @return config and weights
     * @throws IOException if there is neither, or a file says something wrong */
    public static Checkpoint checkpoint(String name) throws IOException {
        if (!NAMES.contains(name)) {
            return Checkpoint.load(folder(name));
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
