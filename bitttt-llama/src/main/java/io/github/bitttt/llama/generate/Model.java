package io.github.bitttt.llama.generate;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * A model that is ready to run: ternary codes, tokenizer, fingerprint. Immutable; any number of threads may open sessions.
 *
 * <pre>{@code
 * Model model = Model.load(Path.of("my-model"));
 * try (Session session = model.newSession()) {
 *     new Generator(session, Sampler.of(0.8, 1)).generate("Once upon a time", 200, System.out::print);
 * }
 * }</pre>
 */
public final class Model {
    private final BitLlama architecture;
    private final Weights weights;
    private final Optional<Tokenizer> tokenizer;
    private final String fingerprint;

    private Model(Checkpoint checkpoint, Optional<Tokenizer> tokenizer) {
        architecture = new BitLlama(checkpoint.config());
        weights = checkpoint.weights().freeze(checkpoint.config().quantization().scaleWeights());
        this.tokenizer = tokenizer;
        fingerprint = checkpoint.fingerprint();
    }

    /** A model of a checkpoint; masters are turned into ternary codes.
     *
     * @param checkpoint masters or packed
     * @param tokenizer  of the same vocabulary
     * @return the model
     * @throws IllegalArgumentException if the vocabularies differ */
    public static Model of(Checkpoint checkpoint, Tokenizer tokenizer) {
        int expected = checkpoint.config().vocabSize();
        if (tokenizer.vocabSize() != expected) {
            throw new IllegalArgumentException(
                    "the model has a vocabulary of " + expected + " tokens, the tokenizer one of "
                            + tokenizer.vocabSize() + "; they do not belong together");
        }
        return new Model(checkpoint, Optional.of(tokenizer));
    }

    /** A model that works on token ids alone.
     *
     * @param checkpoint masters or packed
     * @return the model */
    public static Model of(Checkpoint checkpoint) {
        return new Model(checkpoint, Optional.empty());
    }

    /** Reads a model folder.
     *
     * @param folder with config, weights and tokenizer
     * @return the model
     * @throws IOException if a file is missing or says something wrong */
    public static Model load(Path folder) throws IOException {
        Checkpoint checkpoint = Checkpoint.load(folder);
        Tokenizer tokenizer = Tokenizer.load(folder);
        try {
            return of(checkpoint, tokenizer);
        } catch (IllegalArgumentException e) {
            throw new IOException(folder + ": " + e.getMessage(), e);
        }
    }

    /** A session with an empty memory.
     *  @return to be used by one thread, and closed */
    public Session newSession() {
        return new Session(this);
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
        return fingerprint;
    }

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "Model[%s, %,d bytes]", architecture, weights.bytes());
    }
}
