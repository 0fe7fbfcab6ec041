package io.github.bitttt.llama.text;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;

/** Which tokenizers are read: byte-level BPE, where each token is bytes. */
final class TokenizerRules {
    private static final int MAX_SHOWN = 100;

    private TokenizerRules() {
    }

    static void check(JsonNode root, String name) throws IOException {
        JsonNode model = root.path("model");
        if (!model.isObject() || !model.path("vocab").isObject() && !model.path("vocab").isArray()) {
            throw new IOException(name + ": model.vocab is not there; a Hugging Face tokenizer.json is needed");
        }
        String type = type(model);
        if (!type.equals("BPE")) {
            throw new IOException(name + ": model.type must be BPE, whose tokens are bytes, got "
                    + Excerpt.of(type, MAX_SHOWN) + "; a model with such a tokenizer can be used by token ids only");
        }
        if (!model.path("vocab").isObject()) {
            throw new IOException(name + ": model.vocab must be an object of tokens and ids, got "
                    + model.path("vocab").getNodeType());
        }
        if (!isByteLevel(root.path("pre_tokenizer")) && !isByteLevel(root.path("decoder"))) {
            throw new IOException(name + ": pre_tokenizer or decoder must be ByteLevel, so that tokens are bytes, got "
                    + (model.path("byte_fallback").asBoolean() || model.path("vocab").has("\u2581")
                            ? "a BPE of the sentencepiece kind, whose tokens are characters"
                            : "pre_tokenizer " + kind(root.path("pre_tokenizer")) + " and decoder "
                                    + kind(root.path("decoder")))
                    + "; a model with such a tokenizer can be used by token ids only");
        }
        checkMerges(model, name);
    }

    /** Old files name no type: then the form of the vocabulary tells it, as Hugging Face's library guesses. */
    private static String type(JsonNode model) {
        if (model.hasNonNull("type")) {
            return model.path("type").asText();
        }
        if (model.path("vocab").isArray()) {
            return "Unigram";
        }
        return model.has("merges") ? "BPE" : model.has("continuing_subword_prefix") ? "WordPiece" : "WordLevel";
    }

    private static boolean isByteLevel(JsonNode part) {
        if (part.path("type").asText().equals("ByteLevel")) {
            return true;
        }
        for (String list : new String[]{"pretokenizers", "decoders"}) {
            for (JsonNode inner : part.path(list)) {
                if (isByteLevel(inner)) {
                    return true;
                }
            }
        }
        return false;
    }

    private static String kind(JsonNode part) {
        return part.hasNonNull("type") ? Excerpt.of(part.get("type").asText(), MAX_SHOWN) : "none";
    }

    /** The native library ends the process where a merge's second part is shorter than the prefix that it should begin with. */
    private static void checkMerges(JsonNode model, String name) throws IOException {
        String prefix = model.path("continuing_subword_prefix").asText("");
        if (prefix.isEmpty()) {
            return;
        }
        for (JsonNode merge : model.path("merges")) {
            String second = merge.isArray() ? merge.path(1).asText() : merge.asText().replaceFirst("^[^ ]* ", "");
            if (!second.startsWith(prefix)) {
                throw new IOException(name + ": the second part of a merge must begin with continuing_subword_prefix "
                        + Excerpt.of(prefix, MAX_SHOWN) + ", got " + Excerpt.of(merge, MAX_SHOWN));
            }
        }
    }
}
