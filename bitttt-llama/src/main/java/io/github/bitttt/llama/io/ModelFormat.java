package io.github.bitttt.llama.io;

import io.github.bitttt.llama.BitLlamaConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * How a folder or a file becomes a checkpoint.
 *
 * <p>A new format is two classes, a {@link TensorSource} for where its tensors come from and one of these, and a line in
 * {@link #all()}.
 */
public interface ModelFormat {
    /** What people call it.
     *  @return a short name */
    String name();

    /** What of it is read.
     *  @return a sentence */
    String reads();

    /** What stands behind the promise to read it.
     *  @return a sentence */
    String tested();

    /** What of it is read, one by one: families, forms of weights, tokenizers; as the tables by which they are read have them.
     *  @return at least one */
    List<Reading> readings();

    /** Whether a path looks like this format: by its kind and name and, where that is not enough, by its first bytes.
     *
     * @param path a folder or a file, or nothing
     * @return true if {@link #read} is to be tried, and its complaints are the ones to show
     * @throws IOException if it cannot be looked at */
    boolean accepts(Path path) throws IOException;

    /** Reads a model.
     *
     * @param path that is accepted
     * @return config and weights
     * @throws CheckpointException if a file says something wrong
     * @throws IOException         if a file is missing or cannot be read */
    Checkpoint read(Path path) throws IOException;

    /** What a model's config says, without its weights.
     *
     * @param path that is accepted; the weights need not be there
     * @return sizes and forms
     * @throws CheckpointException if the config says something that is not read
     * @throws IOException         if it is missing or cannot be read */
    BitLlamaConfig config(Path path) throws IOException;

    /** What a model's files are.
     *
     * @param path that is accepted
     * @return family and types, without the weights' numbers
     * @throws CheckpointException if a file says something wrong
     * @throws IOException         if one is missing or cannot be read */
    ModelCard card(Path path) throws IOException;

    /** The tokenizer, where it stands in the model's own file.
     *
     * @param path that is accepted
     * @return the text of a tokenizer.json, or nothing where it is a file beside the model
     * @throws CheckpointException if the file says something wrong
     * @throws IOException         if it cannot be read */
    default Optional<String> tokenizerJson(Path path) throws IOException {
        return Optional.empty();
    }

    /** How texts are written, where that stands in the model's own file.
     *
     * @param path that is accepted
     * @return the text of a generation_config.json, or nothing where it is a file beside the model
     * @throws CheckpointException if the file says something wrong
     * @throws IOException         if it cannot be read */
    default Optional<String> generationConfig(Path path) throws IOException {
        return Optional.empty();
    }

    /** What says how the model chats, where that stands in the model's own file.
     *
     * @param path that is accepted
     * @return a JSON object with the keys {@code model_type} of a config.json, {@code chat_template} and {@code eos_token} of a
     *         tokenizer_config.json, or nothing where these are files beside the model
     * @throws CheckpointException if the file says something wrong
     * @throws IOException         if it cannot be read */
    default Optional<String> chatConfig(Path path) throws IOException {
        return Optional.empty();
    }

    /** The format that reads a path.
     *
     * @param path a folder or a file
     * @return the first of {@link #all()} that accepts it
     * @throws IOException if it cannot be looked at */
    static ModelFormat of(Path path) throws IOException {
        for (ModelFormat format : all()) {
            if (format.accepts(path)) {
                return format;
            }
        }
        throw new AssertionError("the last format accepts every path");
    }

    /** The formats, the first that accepts a path reads it.
     *  @return all that there are; the last accepts everything */
    static List<ModelFormat> all() {
        return List.of(new OriginalCheckpoint(), new GgufModel(), new HuggingFaceFolder(), new ModelFolder());
    }
}
