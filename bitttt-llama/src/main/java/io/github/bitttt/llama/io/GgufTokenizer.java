package io.github.bitttt.llama.io;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The tokenizer of a GGUF file, put together as the {@code tokenizer.json} that it was made of: byte-level BPE, with the pre-tokenizer
 * that the file names.
 */
final class GgufTokenizer {
    private static final String PREFIX = "tokenizer.ggml.";
    private static final long CONTROL = 3;
    private static final long USER_DEFINED = 4;
    private static final String LLAMA_3 = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+"
            + "[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    private static final String QWEN_2 = LLAMA_3.replace("\\p{N}{1,3}", "\\p{N}");
    /** How a text is cut before the merges, by the names that llama.cpp gives; an empty pattern is GPT-2's. */
    private static final Map<String, String> PATTERNS = Map.of("llama-bpe", LLAMA_3, "llama3", LLAMA_3, "llama-v3",
            LLAMA_3,
            "falcon3", LLAMA_3, "qwen2", QWEN_2, "gpt-2", "", "default", "");
    /** What ends an answer in chats of the known families, where a file names one end token only. */
    private static final List<String> ENDS = List.of("<|eot_id|>", "<|end_of_text|>", "<|im_end|>", "<|endoftext|>");

    private GgufTokenizer() {
    }

    /** How texts are cut, by the names of files. */
    static Set<String> schemes() {
        return PATTERNS.keySet();
    }

    static String json(Gguf gguf) throws CheckpointException {
        Object model = gguf.keys().get(PREFIX + "model");
        if (!"gpt2".equals(model)) {
            throw new CheckpointException(gguf.file(), PREFIX + "model must be gpt2, a BPE whose tokens are bytes, got "
                    + StrictJson.shown(model) + "; a model with such a tokenizer can be used by token ids only");
        }
        Object scheme = gguf.keys().getOrDefault(PREFIX + "pre", "llama-bpe");
        String pattern = PATTERNS.get(scheme.toString());
        if (pattern == null) {
            throw new CheckpointException(gguf.file(), PREFIX + "pre must be one of "
                    + PATTERNS.keySet().stream().sorted().toList() + ", got " + StrictJson.shown(scheme)
                    + "; give the folder of safetensors, whose tokenizer.json says how a text is cut");
        }
        List<String> tokens = texts(gguf, "tokens");
        List<?> types = list(gguf, "token_type");
        ObjectNode root = StrictJson.newObject().put("version", "1.0").putNull("truncation").putNull("padding");
        ArrayNode added = root.putArray("added_tokens");
        ObjectNode vocabulary = StrictJson.newObject();
        int last = tokens.size() - 1;
        while (last >= 0 && isSpecial(types, last)) {
            last--;
        }
        for (int id = 0; id < tokens.size(); id++) {
            if (isSpecial(types, id)) {
                added.addObject().put("id", id).put("content", tokens.get(id)).put("single_word", false)
                        .put("lstrip", false).put("rstrip", false).put("normalized", false)
                        .put("special", types.get(id).equals(CONTROL));
            }
            // Ids of added tokens follow those of the vocabulary, so one in its midst must be part of it.
            if (id <= last && vocabulary.replace(tokens.get(id), vocabulary.numberNode(id)) != null) {
                throw new CheckpointException(gguf.file(), PREFIX + "tokens: " + StrictJson.shown(tokens.get(id))
                        + " stands there twice");
            }
        }
        root.putNull("normalizer");
        preTokenizer(root, pattern);
        postProcessor(root, gguf, tokens, pattern.equals(LLAMA_3));
        root.putObject("decoder").put("type", "ByteLevel").put("add_prefix_space", false).put("trim_offsets", true)
                .put("use_regex", true);
        ObjectNode bpe = root.putObject("model").put("type", "BPE").putNull("dropout").putNull("unk_token")
                .putNull("continuing_subword_prefix").putNull("end_of_word_suffix").put("fuse_unk", false)
                .put("byte_fallback", false).put("ignore_merges", pattern.equals(LLAMA_3));
        bpe.set("vocab", vocabulary);
        ArrayNode merges = bpe.putArray("merges");
        texts(gguf, "merges").forEach(merges::add);
        return root.toString();
    }

    private static boolean isSpecial(List<?> types, int id) {
        return id < types.size() && (types.get(id).equals(CONTROL) || types.get(id).equals(USER_DEFINED));
    }

    private static void preTokenizer(ObjectNode root, String pattern) {
        ObjectNode byteLevel = StrictJson.newObject().put("type", "ByteLevel").put("add_prefix_space", false)
                .put("trim_offsets", true).put("use_regex", pattern.isEmpty());
        if (pattern.isEmpty()) {
            root.set("pre_tokenizer", byteLevel);
            return;
        }
        ObjectNode sequence = root.putObject("pre_tokenizer").put("type", "Sequence");
        ArrayNode parts = sequence.putArray("pretokenizers");
        ObjectNode split = parts.addObject().put("type", "Split");
        split.putObject("pattern").put("Regex", pattern);
        split.put("behavior", "Isolated").put("invert", false);
        parts.add(byteLevel);
    }

    /** What stands before a first text. Llama 3's models have it unless their file says otherwise. */
    private static void postProcessor(ObjectNode root, Gguf gguf, List<String> tokens, boolean usual) {
        boolean asked = gguf.keys().getOrDefault(PREFIX + "add_bos_token", usual).equals(true);
        if (!asked || !(gguf.keys().get(PREFIX + "bos_token_id") instanceof Long id) || id < 0 || id >= tokens.size()) {
            root.putNull("post_processor");
            return;
        }
        String text = tokens.get(id.intValue());
        ObjectNode template = root.putObject("post_processor").put("type", "TemplateProcessing");
        ArrayNode single = template.putArray("single");
        single.addObject().putObject("SpecialToken").put("id", text).put("type_id", 0);
        single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        template.putArray("pair").addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        ObjectNode special = template.putObject("special_tokens").putObject(text).put("id", text);
        special.putArray("ids").add(id.intValue());
        special.putArray("tokens").add(text);
    }

    /** The end tokens, as a generation_config.json has them: the file's, and those that end an answer in chats. */
    static String generationConfig(Gguf gguf) throws CheckpointException {
        Map<Long, Boolean> ends = new LinkedHashMap<>();
        for (String key : List.of("eos_token_id", "eot_token_id")) {
            if (gguf.keys().get(PREFIX + key) instanceof Long id) {
                ends.put(id, true);
            }
        }
        List<String> tokens = texts(gguf, "tokens");
        List<?> types = list(gguf, "token_type");
        for (int id = 0; id < Math.min(tokens.size(), types.size()); id++) {
            if (types.get(id).equals(CONTROL) && ENDS.contains(tokens.get(id))) {
                ends.put((long) id, true);
            }
        }
        ObjectNode config = StrictJson.newObject();
        ends.keySet().stream().filter(id -> id >= 0 && id < tokens.size())
                .forEach(config.putArray("eos_token_id")::add);
        return config.toString();
    }

    /** The architecture, the chat template and the end token, as files beside a model have them. */
    static String chatConfig(Gguf gguf) throws CheckpointException {
        ObjectNode config = StrictJson.newObject().put("model_type",
                String.valueOf(gguf.keys().get("general.architecture")));
        if (gguf.keys().get("tokenizer.chat_template") instanceof String template) {
            config.put("chat_template", template);
        }
        List<String> tokens = texts(gguf, "tokens");
        if (gguf.keys().get(PREFIX + "eos_token_id") instanceof Long id && id >= 0 && id < tokens.size()) {
            config.put("eos_token", tokens.get(id.intValue()));
        }
        return config.toString();
    }

    private static List<?> list(Gguf gguf, String name) throws CheckpointException {
        Object value = gguf.keys().getOrDefault(PREFIX + name, List.of());
        if (!(value instanceof List<?> list)) {
            throw new CheckpointException(gguf.file(),
                    PREFIX + name + " must be a list, got " + StrictJson.shown(value));
        }
        return list;
    }

    private static List<String> texts(Gguf gguf, String name) throws CheckpointException {
        List<String> texts = new ArrayList<>();
        for (Object text : list(gguf, name)) {
            if (!(text instanceof String string)) {
                throw new CheckpointException(gguf.file(),
                        PREFIX + name + " must be a list of texts, got " + StrictJson.shown(text));
            }
            texts.add(string);
        }
        return texts;
    }
}
