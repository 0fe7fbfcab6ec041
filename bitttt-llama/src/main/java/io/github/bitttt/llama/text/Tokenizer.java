package io.github.bitttt.llama.text;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.StreamSupport;

/**
 * Text to token ids and back, by Hugging Face's tokenizers: the ids are Python's.
 *
 * <p>It never truncates, pads, or adds tokens; {@value #END_OF_TEXT} in the text is one token, unless {@link #encodeAsText} is
 * asked. Immutable, for any thread. It holds native memory: {@link #close()} frees it at once, else the garbage collector does.
 */
public final class Tokenizer implements AutoCloseable {
    /** The token between documents. */
    public static final String END_OF_TEXT = "<|endoftext|>";
    /** The file's name in a model folder. */
    public static final String FILE = "tokenizer.json";

    private static final int MAX_FILE_BYTES = 32 << 20; // as much as the largest vocabularies in use take
    private static final int MAX_SHOWN = 100;
    // The native library takes some 300 bytes for each token of a text; so a longer text goes to it in pieces.
    private static final int PIECE = 1 << 16;
    private static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder().streamReadConstraints(
            StreamReadConstraints.builder().maxNestingDepth(32).maxStringLength(1 << 20).maxNameLength(1 << 16)
                    .maxNumberLength(100).maxTokenCount(10_000_000).build())
            .build()).enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private final NativeEncoder tokenizer;
    private final String json;
    private final byte[][] bytes; // of each token
    private final OptionalInt endOfText;
    private final OptionalInt beginOfText;
    private final boolean documentsAreApart;
    private final SpecialTokens specials;
    private final Map<String, Integer> added;
    private NativeEncoder plain;
    private boolean closed;

    private Tokenizer(NativeEncoder tokenizer, JsonNode root, String json, byte[][] bytes,
            OptionalInt endOfText) {
        this.tokenizer = tokenizer;
        documentsAreApart = documentsAreApart(root);
        specials = SpecialTokens.of(root);
        added = StreamSupport.stream(root.path("added_tokens").spliterator(), false).collect(Collectors.toMap(
                token -> token.path("content").asText(), token -> token.path("id").intValue(), (_, last) -> last));
        this.json = json;
        this.bytes = bytes;
        this.endOfText = endOfText;
        beginOfText = beginOfText(root.path("post_processor"), bytes.length);
    }

    /** What a template puts before a single text, alone or among other processors. */
    private static OptionalInt beginOfText(JsonNode processor, int tokens) {
        for (JsonNode inner : processor.path("processors")) {
            OptionalInt found = beginOfText(inner, tokens);
            if (found.isPresent()) {
                return found;
            }
        }
        String name = processor.path("single").path(0).path("SpecialToken").path("id").asText();
        JsonNode id = processor.path("special_tokens").path(name).path("ids").path(0);
        return id.isInt() && id.intValue() >= 0 && id.intValue() < tokens
                ? OptionalInt.of(id.intValue())
                : OptionalInt.empty();
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
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MAX_FILE_BYTES + 1);
            if (bytes.length > MAX_FILE_BYTES) {
                throw new IOException(
                        file + ": must have at most " + MAX_FILE_BYTES + " bytes, got " + Files.size(file));
            }
            return parse(TextFile.decode(bytes, file.toString()), file.toString());
        }
    }

    /** Reads a tokenizer from text.
     *
     * @param json the contents of a {@value #FILE}
     * @param name of its origin, for messages
     * @return the tokenizer
     * @throws IOException if it is not a tokenizer */
    public static Tokenizer parse(String json, String name) throws IOException {
        return parseWithoutMark(json.startsWith("\uFEFF") ? json.substring(1) : json, name);
    }

    private static Tokenizer parseWithoutMark(String json, String name) throws IOException {
        JsonNode root;
        try {
            root = JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IOException(name + ": is not JSON: " + e.getOriginalMessage(), e);
        }
        TokenizerRules.check(root, name);
        JsonNode vocabulary = root.path("model").path("vocab");
        byte[][] bytes = tokenBytes(root, vocabulary, name);
        JsonNode end = vocabulary.path(END_OF_TEXT);
        OptionalInt endOfText = end.isInt() ? OptionalInt.of(end.intValue()) : OptionalInt.empty();
        for (JsonNode added : root.path("added_tokens")) {
            if (added.path("content").asText().equals(END_OF_TEXT)) {
                endOfText = OptionalInt.of(added.path("id").intValue());
            }
        }
        return new Tokenizer(NativeEncoder.of(neededParts(root), name), root, json, bytes, endOfText);
    }

    /** The parts that turn text into ids. The native library ends the process over some mistakes in the others. */
    static String neededParts(JsonNode root) throws IOException {
        ObjectNode parts = JSON.createObjectNode();
        for (String part : List.of("version", "added_tokens", "normalizer", "pre_tokenizer", "model")) {
            if (root.has(part)) {
                parts.set(part, root.get(part));
            }
        }
        return JSON.writeValueAsString(parts);
    }

    private static byte[][] tokenBytes(JsonNode root, JsonNode vocabulary, String name) throws IOException {
        int tokens = vocabulary.size() + root.path("added_tokens").size();
        int size = vocabulary.size();
        for (JsonNode added : root.path("added_tokens")) {
            size = Math.max(size, id(added.path("id"), tokens, added.path("content").asText(), name) + 1);
        }
        byte[][] bytes = new byte[size][];
        for (Map.Entry<String, JsonNode> entry : vocabulary.properties()) {
            bytes[id(entry.getValue(), size, entry.getKey(), name)] = ByteAlphabet.decode(entry.getKey());
        }
        for (JsonNode added : root.path("added_tokens")) {
            bytes[added.path("id").intValue()] = added.path("content").asText().getBytes(StandardCharsets.UTF_8);
        }
        return bytes;
    }

    /** An id below a limit: so a file cannot ask for more room than its own tokens take. */
    private static int id(JsonNode id, int limit, String token, String name) throws IOException {
        if (!id.isInt() || id.intValue() < 0 || id.intValue() >= limit) {
            throw new IOException(name + ": token ids must be 0 to " + (limit - 1) + ", got "
                    + (id.isMissingNode() ? "nothing" : shown(id.toString())) + " for \"" + shown(token) + "\"");
        }
        return id.intValue();
    }

    private static String shown(String text) {
        return Excerpt.of(text, MAX_SHOWN);
    }

    /** Whether a text may be cut before each {@value #END_OF_TEXT}: it is the only added token, and nothing looks past it. */
    private static boolean documentsAreApart(JsonNode root) {
        JsonNode added = root.path("added_tokens");
        return added.size() == 1 && added.path(0).path("content").asText().equals(END_OF_TEXT)
                && !added.path(0).path("lstrip").asBoolean() && !added.path(0).path("single_word").asBoolean()
                && !root.hasNonNull("normalizer")
                && root.path("pre_tokenizer").path("type").asText().equals("ByteLevel");
    }

    /** Token ids of a text of any length, in which {@value #END_OF_TEXT} and other special tokens are these tokens.
     *
     * @param text any text; half a surrogate pair counts as U+FFFD
     * @return its ids */
    public int[] encode(String text) {
        return encode(tokenizer, text);
    }

    /** Token ids of a text that somebody else wrote, such as a message of a chat: {@value #END_OF_TEXT} in it is these characters.
     *
     * @param text any text; half a surrogate pair counts as U+FFFD
     * @return its ids, none of them special */
    public int[] encodeAsText(String text) {
        return specials.mayStandIn(text) ? encode(plain(), text) : encode(text);
    }

    /** The encoder that knows no special tokens, made when it is first needed. */
    private synchronized NativeEncoder plain() {
        if (plain == null) {
            if (closed) {
                return tokenizer; // which says so
            }
            try {
                plain = NativeEncoder.of(specials.without(JSON.readTree(json)), "the tokenizer without special tokens");
            } catch (IOException e) {
                throw new IllegalStateException(e.getMessage(), e); // the same JSON has been read before
            }
        }
        return plain;
    }

    private int[] encode(NativeEncoder encoder, String text) {
        String whole = wellFormed(text);
        if (!documentsAreApart || whole.length() <= PIECE) {
            return encodeAtOnce(encoder, whole);
        }
        List<int[]> pieces = new ArrayList<>();
        int from = 0;
        while (from < whole.length()) {
            int end = encoder == tokenizer ? whole.indexOf(END_OF_TEXT, from + PIECE) : -1;
            int to = end < 0 ? whole.length() : end;
            pieces.add(encodeAtOnce(encoder, whole.substring(from, to)));
            from = to;
        }
        return pieces.stream().flatMapToInt(Arrays::stream).toArray();
    }

    int[] encodeAtOnce(String text) {
        return encodeAtOnce(tokenizer, text);
    }

    private static int[] encodeAtOnce(NativeEncoder encoder, String text) {
        long[] ids = encoder.ids(text);
        int[] narrow = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            narrow[i] = Math.toIntExact(ids[i]);
        }
        return narrow;
    }

    /** Each half of a surrogate pair without the other one becomes U+FFFD: the native library would change its neighbours too.
     *
     * @param text any
     * @return the same text if it has none */
    public static String wellFormed(String text) {
        StringBuilder changed = null;
        for (int i = 0; i < text.length(); i++) {
            char unit = text.charAt(i);
            if (!Character.isSurrogate(unit)) {
                continue;
            }
            if (Character.isHighSurrogate(unit) && i + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
                continue;
            }
            changed = changed == null ? new StringBuilder(text) : changed;
            changed.setCharAt(i, '\uFFFD');
        }
        return changed == null ? text : changed.toString();
    }

    /** Frees the native memory: token ids can still be turned into text, but no text into ids. Again does nothing. */
    @Override
    public synchronized void close() {
        closed = true;
        tokenizer.close();
        if (plain != null) {
            plain.close();
        }
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

    /** The token that stands before the first text that a model reads, such as {@code <|begin_of_text|>}: what the template in
     * {@code post_processor} puts there.
     *  @return its id, if there is one */
    public OptionalInt beginOfText() {
        return beginOfText;
    }

    /** The id of a token that stands outside the vocabulary's merges, such as {@code <|eot_id|>}.
     *
     * @param content its letters
     * @return its id, if there is one */
    public OptionalInt addedToken(String content) {
        return added.containsKey(content) ? OptionalInt.of(added.get(content)) : OptionalInt.empty();
    }

    /** Whether letters are a special token, which {@link #encodeAsText} never gives.
     *
     * @param content its letters
     * @return false also for an added token that is not special */
    public boolean isSpecial(String content) {
        return specials.contents().contains(content);
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
