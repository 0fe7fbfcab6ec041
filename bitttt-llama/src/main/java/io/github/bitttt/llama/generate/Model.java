package io.github.bitttt.llama.generate;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.chat.ChatFormat;
import io.github.bitttt.llama.chat.ChatPrompt;
import io.github.bitttt.llama.chat.ChatSettings;
import io.github.bitttt.llama.chat.ChatTemplate;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A model that is ready to run: ternary codes, tokenizer, fingerprint, defaults. Immutable; any number of threads may open sessions.
 *
 * <pre>{@code
 * try (Model model = Model.load("stories-256x4"); Session session = model.newSession()) {
 *     session.generate("Once upon a time").forEach(System.out::print);
 * }
 * }</pre>
 *
 * <p>The tokenizer is native code: closing a model that was loaded closes it. Sessions that are open go on with token ids then.
 */
public final class Model implements AutoCloseable {
    /** The file of a model folder that holds its {@link #defaults()}. */
    public static final String GENERATION_CONFIG = Zoo.GENERATION_CONFIG;

    private final BitLlama architecture;
    private final Weights weights;
    private final Optional<Tokenizer> tokenizer;
    private final GenerationOptions defaults;
    private volatile String fingerprint = ""; // made when it is asked for: it reads every code
    private final boolean ownsTokenizer;
    private final Optional<OutputMemory> output; // of sessions that are opened without saying
    private final Optional<ChatPrompt> chat;
    private final String noChat; // why there is none
    private final OptionalInt window; // of all sessions
    private volatile boolean closed;

    private Model(Checkpoint checkpoint, Optional<Tokenizer> tokenizer, GenerationOptions defaults,
            boolean ownsTokenizer, ChatSettings settings) {
        architecture = new BitLlama(checkpoint.config());
        weights = checkpoint.weights().freeze(checkpoint.config().quantization().scaleWeights());
        this.tokenizer = tokenizer;
        this.ownsTokenizer = ownsTokenizer;
        output = Optional.empty();
        window = OptionalInt.empty();
        Optional<ChatPrompt> found = Optional.empty();
        String reason = "this model has no tokenizer; feed it token ids";
        if (tokenizer.isPresent()) {
            try {
                found = Optional.of(new ChatPrompt(settings.format(tokenizer.get()), tokenizer.get()));
            } catch (IllegalArgumentException e) {
                reason = e.getMessage();
            }
        }
        chat = found;
        noChat = reason;
        this.defaults = found.isPresent() && found.get().template() != ChatFormat.STORIES
                ? defaults.withEndTokens(SessionTexts.union(defaults.endTokens(), found.get().ends()))
                : defaults;
    }

    /** A model of a checkpoint; masters are turned into ternary codes.
     *
     * @param checkpoint masters or packed
     * @param tokenizer  of the same vocabulary, or a smaller one where a model has a context limit, for others pad their rows; it stays the
     *                   caller's, to be closed after the model
     * @return the model, with the built-in defaults
     * @throws IllegalArgumentException if the vocabularies differ */
    public static Model of(Checkpoint checkpoint, Tokenizer tokenizer) {
        checkVocabulary(checkpoint, tokenizer);
        return new Model(checkpoint, Optional.of(tokenizer), GenerationOptions.DEFAULTS, false, settings(checkpoint));
    }

    /** Models of our own tell stories. */
    private static ChatSettings settings(Checkpoint checkpoint) {
        return checkpoint.config().contextLimit().isPresent() ? ChatSettings.UNKNOWN : ChatSettings.STORIES;
    }

    private static void checkVocabulary(Checkpoint checkpoint, Tokenizer tokenizer) {
        int expected = checkpoint.config().vocabSize();
        boolean padded = checkpoint.config().contextLimit().isPresent(); // others round the number of rows up
        if (tokenizer.vocabSize() != expected && !(padded && tokenizer.vocabSize() < expected)) {
            throw new IllegalArgumentException(
                    "the model has a vocabulary of " + expected + " tokens, the tokenizer one of "
                            + tokenizer.vocabSize() + "; they do not belong together");
        }
    }

    /** A model that works on token ids alone.
     *
     * @param checkpoint masters or packed
     * @return the model */
    public static Model of(Checkpoint checkpoint) {
        return new Model(checkpoint, Optional.empty(), GenerationOptions.DEFAULTS, false, ChatSettings.STORIES);
    }

    /** Loads a model.
     *
     * @param name one of {@link Zoo#names()}, a model folder, a GGUF file, or {@code ORG/NAME} of Hugging Face's local cache, see {@link Zoo#place}
     * @return the model, to be closed
     * @throws IOException if there is none, or a file says something wrong */
    public static Model load(String name) throws IOException {
        return of(Zoo.load(name));
    }

    /** Loads a model folder.
     *
     * @param folder with config, weights and tokenizer, and perhaps a {@value #GENERATION_CONFIG}
     * @return the model, to be closed
     * @throws IOException if a file is missing or says something wrong */
    public static Model load(Path folder) throws IOException {
        return of(Zoo.load(folder));
    }

    /** A model of what the zoo has read; the tokenizer is the model's from here on.
     *
     * @param entry checkpoint, tokenizer and perhaps a text of options
     * @return the model, to be closed
     * @throws IOException if its parts do not belong together or its options say something wrong */
    public static Model of(Zoo.Entry entry) throws IOException {
        try {
            checkVocabulary(entry.checkpoint(), entry.tokenizer());
            GenerationOptions defaults = entry.generationConfig().isEmpty()
                    ? GenerationOptions.DEFAULTS
                    : OptionNames.ofFile(entry.generationConfig().get(), Path.of(entry.name(), GENERATION_CONFIG));
            return new Model(entry.checkpoint(), Optional.of(entry.tokenizer()),
                    SessionTexts.ends(defaults, entry.chat(), entry.tokenizer()), true, entry.chat());
        } catch (IllegalArgumentException e) {
            entry.tokenizer().close();
            throw new IOException(entry.name() + ": " + e.getMessage(), e);
        } catch (IOException e) {
            entry.tokenizer().close();
            throw e;
        }
    }

    /** The same model with other defaults; it shares everything with this one, which stays the one to be closed.
     *
     * @param options that texts begin with
     * @return a model */
    public Model withDefaults(GenerationOptions options) {
        return new Model(this, options, output, chat, window);
    }

    /** The same model whose sessions all have a memory at the output, see {@link #newSession(OutputMemory)}. Whatever opens sessions of it, a
     * server or a measurement, then learns. It shares everything with this one, which stays the one to be closed.
     *
     * @param memory its parts, as {@link OutputMemory#standard()}
     * @return a model */
    public Model withOutputMemory(OutputMemory memory) {
        return new Model(this, defaults, Optional.of(memory), chat, window);
    }

    /** The same model with another chat format; it shares everything with this one, which stays the one to be closed.
     *
     * @param template a {@link ChatFormat}, or one of your own
     * @return a model
     * @throws IllegalArgumentException if the tokenizer has not the tokens that the format needs */
    public Model withChatTemplate(ChatTemplate template) {
        return new Model(this, defaults, output, Optional.of(new ChatPrompt(template, tokenizer())), window);
    }

    /** The same model whose sessions keep a window in attention, whatever they read: the first four tokens and the last N, or up to 63 more.
     * So they take constant memory and read for ever; what has left the window is forgotten, unless {@link #withOutputMemory} has
     * learned from it. It shares everything with this one, which stays the one to be closed.
     *
     * @param tokens N, at least 1; with 68 more not above the model's context
     * @return a model
     * @throws IllegalArgumentException if N is out of range, or this model has no attention */
    public Model withWindow(int tokens) {
        SessionMemory.checkWindow(architecture, tokens);
        return new Model(this, defaults, output, chat, OptionalInt.of(tokens));
    }

    OptionalInt window() {
        return window;
    }

    private Model(Model other, GenerationOptions defaults, Optional<OutputMemory> output, Optional<ChatPrompt> chat,
            OptionalInt window) {
        architecture = other.architecture;
        weights = other.weights;
        tokenizer = other.tokenizer;
        fingerprint = other.fingerprint;
        this.defaults = defaults;
        this.output = output;
        this.chat = chat;
        noChat = other.noChat;
        this.window = window;
        ownsTokenizer = false;
    }

    /** A session with an empty memory.
     *
     * @return to be used by one thread, and closed
     * @throws IllegalStateException if the model is closed */
    public Session newSession() {
        return open(output);
    }

    private Session open(Optional<OutputMemory> memory) {
        if (closed) {
            throw new IllegalStateException("this model is closed; load it again by Model.load(name)");
        }
        return new Session(this, memory);
    }

    /** A session with an empty memory and one more at the output, which learns from everything that the session reads or writes.
     *
     * <p>Its logits are then log-probabilities of the mixture with the frozen model. {@link Session#reset} leaves the output memory as
     * it is.
     *
     * @param memory its parts, as {@link OutputMemory#standard()}
     * @return to be used by one thread, and closed
     * @throws IllegalStateException if the model is closed */
    public Session newSession(OutputMemory memory) {
        return open(Optional.of(memory));
    }

    /** Goes on with several prompts at once, each in a session of its own, over the cores.
     *
     * @param prompts any number
     * @param options of each of them
     * @return their texts in the order of the prompts; what each would be alone */
    public List<Generation.Result> generate(List<String> prompts, GenerationOptions options) {
        return prompts.parallelStream().map(prompt -> {
            try (Session session = newSession()) {
                return session.generate(prompt, options).result();
            }
        }).toList();
    }

    /** What a text is about, as a vector: the mean of the last layer's normed rows over its tokens, read from an empty memory.
     *
     * @param text of at least one token
     * @return [D] */
    public float[] embed(String text) {
        try (Session session = newSession()) {
            return SessionTexts.meanHidden(session, session.encode(text));
        }
    }

    /** The tokens of a text as an empty session reads it, with what the tokenizer puts before a first text.
     *
     * @param text any text
     * @return its ids */
    public int[] encode(String text) {
        return SessionTexts.begun(this, tokenizer().encode(text));
    }

    /** Conversations as this model was taught to read them: by the format that its files mean, or that {@link #withChatTemplate} set.
     *
     * @return messages as token ids
     * @throws IllegalStateException that says why there is no format, and what to do */
    public ChatPrompt chat() {
        return chat.orElseThrow(() -> new IllegalStateException(noChat));
    }

    /** What its conversations are written by.
     *
     * @return a {@link ChatFormat} or somebody's own; nothing if its files mean none */
    public Optional<ChatTemplate> chatTemplate() {
        return chat.map(ChatPrompt::template);
    }

    /** How its answers are written: other options with the tokens and texts that end an answer in its chat format.
     *
     * @param options of the caller, best made from {@link #defaults()}
     * @return new options */
    public GenerationOptions chatOptions(GenerationOptions options) {
        return SessionTexts.chatOptions(this, options);
    }

    /** How its texts are written unless a caller says otherwise: what its {@value #GENERATION_CONFIG} says.
     *
     * @return {@link GenerationOptions#DEFAULTS} if it has no such file */
    public GenerationOptions defaults() {
        return defaults;
    }

    /** What a session remembers takes so much, whatever it reads and however long; its buffers come on top, and what attention
     * keeps of each token, see {@link #memoryBytesPerToken}.
     *  @return bytes of float32 numbers */
    public long memoryBytes() {
        return 4 * architecture.memoryNumbers();
    }

    /** What a session keeps of every token that it reads: nothing in memory layers, keys and values in attention.
     *  @return bytes of float32 numbers */
    public long memoryBytesPerToken() {
        return 4 * architecture.memoryNumbersPerToken();
    }

    /** The architecture: names and sizes.
     *  @return the model without numbers */
    public BitLlama architecture() {
        return architecture;
    }

    Weights weights() {
        return weights;
    }

    /** Its tokenizer.
     *
     * @return the tokenizer
     * @throws IllegalStateException if it was made without one */
    public Tokenizer tokenizer() {
        return tokenizer.orElseThrow(() -> new IllegalStateException("this model has no tokenizer; feed it token ids"));
    }

    /** What a saved memory belongs to.
     *  @return SHA-256 over config, codes and scales */
    public String fingerprint() {
        if (fingerprint.isEmpty()) {
            fingerprint = new Checkpoint(architecture.config(), weights, Map.of()).fingerprint();
        }
        return fingerprint;
    }

    /** Frees the tokenizer if the model loaded it; again does nothing. */
    @Override
    public void close() {
        closed = true;
        if (ownsTokenizer) {
            tokenizer.ifPresent(Tokenizer::close);
        }
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "Model[%s, %,d bytes]", architecture, weights.bytes());
    }
}
