package io.github.bitttt.llama.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Text to token ids and back, by Hugging Face's tokenizers: the ids are Python's.
 *
 * <p>It never truncates, pads, or adds tokens; {@value #END_OF_TEXT} in the text is one token. Immutable, for any thread.
 */
public final class Tokenizer {
    /** The token between documents. */
    public static final String END_OF_TEXT = "<|endoftext|>";
    /** The file's name in a model folder. */
    public static final String FILE = "tokenizer.json";

    private final HuggingFaceTokenizer tokenizer;
    private final String json;
    private final byte[][] bytes; // of each token
    private final OptionalInt endOfText;

    private Tokenizer(HuggingFaceTokenizer tokenizer, String json, byte[][] bytes, OptionalInt endOfText) {
        this.tokenizer = tokenizer;
        this.json = json;
        this.bytes = bytes;
        this.endOfText = endOfText;
    }

    /** Reads {@value #FILE}.
     *
     * @param path the file, or the folder that holds it
     * @return the tokenizer
     * @throws IOException if it cannot be read or is not a tokenizer */
    public static Tokenizer load(Path path) throws IOException {
        Path file = Files.isDirectory(path) ? path.resolve(FILE) : path;
        if (!Files.exists(file)) {
            throw new IOException(file + ": no tokenizer here; a model folder holds one as " + FILE);
        }
        return parse(Files.readString(file), file.toString());
    }

    /** Reads a tokenizer from text.
     *
     * @param json the contents of a {@value #FILE}
     * @param name of its origin, for messages
     * @return the tokenizer
     * @throws IOException if it is not a tokenizer */
    public static Tokenizer parse(String json, String name) throws IOException {
        JsonNode root;
        try {
            root = new ObjectMapper().readTree(json);
        } catch (JsonProcessingException e) {
            throw new IOException(name + ": is not JSON: " + e.getOriginalMessage(), e);
        }
        JsonNode vocabulary = root.path("model").path("vocab");
        if (!vocabulary.isObject()) {
            throw new IOException(name + ": model.vocab is not there; a Hugging Face tokenizer.json is needed");
        }
        byte[][] bytes = tokenBytes(root, vocabulary, name);
        JsonNode end = vocabulary.path(END_OF_TEXT);
        OptionalInt endOfText = end.isInt() ? OptionalInt.of(end.intValue()) : OptionalInt.empty();
        for (JsonNode added : root.path("added_tokens")) {
            if (added.path("content").asText().equals(END_OF_TEXT)) {
                endOfText = OptionalInt.of(added.path("id").intValue());
            }
        }
        try {
            HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.newInstance(
                    new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)),
                    Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "false"));
            return new Tokenizer(tokenizer, json, bytes, endOfText);
        } catch (RuntimeException e) {
            // The native library reports a bad file by whatever exception its own code had.
            throw new IOException(name + ": is not a tokenizer: " + e.getMessage(), e);
        }
    }

    private static byte[][] tokenBytes(JsonNode root, JsonNode vocabulary, String name) throws IOException {
        int size = vocabulary.size();
        for (JsonNode added : root.path("added_tokens")) {
            size = Math.max(size, added.path("id").intValue() + 1);
        }
        byte[][] bytes = new byte[size][];
        for (Map.Entry<String, JsonNode> entry : vocabulary.properties()) {
            int id = entry.getValue().asInt(-1);
            if (id < 0 || id >= size) {
                throw new IOException(
                        name + ": token ids must be 0 to " + (size - 1) + ", got " + entry.getValue() + " for \""
                                + entry.getKey() + "\"");
            }
            bytes[id] = ByteAlphabet.decode(entry.getKey());
        }
        for (JsonNode added : root.path("added_tokens")) {
            bytes[added.path("id").intValue()] = added.path("content").asText().getBytes(StandardCharsets.UTF_8);
        }
        return bytes;
    }

    /** Token ids of a text of any length.
     *
     * @param text any text
     * @return its ids */
    public int[] encode(String text) {
        long[] ids = tokenizer.encode(text, false, false).getIds();
        int[] narrow = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            narrow[i] = Math.toIntExact(ids[i]);
        }
        return narrow;
    }

    /** The text of token ids.
     *
     * @param ids from 0 to {@link #vocabSize()} - 1
     * @return their bytes as UTF-8; what is not valid becomes U+FFFD */
    public String decode(int... ids) {
        StreamDecoder decoder = streamDecoder();
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            text.append(decoder.next(id));
        }
        return text.append(decoder.end()).toString();
    }

    /** A decoder that takes one token after the other.
     *  @return with nothing held back yet */
    public StreamDecoder streamDecoder() {
        return new StreamDecoder(this);
    }

    byte[] bytes(int id) {
        if (id < 0 || id >= bytes.length) {
            throw new IllegalArgumentException("token ids are 0 to " + (bytes.length - 1) + ", got " + id);
        }
        return bytes[id] == null ? new byte[0] : bytes[id];
    }

    /** V.
     *  @return the number of tokens, added ones included */
    public int vocabSize() {
        return bytes.length;
    }

    /** The id of {@value #END_OF_TEXT}.
     *  @return empty if this vocabulary has none */
    public OptionalInt endOfText() {
        return endOfText;
    }

    /** The contents of its {@value #FILE}.
     *  @return JSON */
    public String json() {
        return json;
    }

    @Override
    public String toString() {
        return "Tokenizer[" + vocabSize() + " tokens]";
    }
}
