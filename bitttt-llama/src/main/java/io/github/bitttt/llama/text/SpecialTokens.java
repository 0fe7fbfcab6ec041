package io.github.bitttt.llama.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The tokens that steer a model, such as the end of a text, which a text that somebody else wrote must not contain. */
record SpecialTokens(List<String> contents, boolean normalized) {
    /** Noncharacters, which no text has: an added token that nothing matches keeps the ids of those behind it. */
    private static final String NOWHERE = "\uFFFE\uFFFF special %d \uFFFF\uFFFE";

    static SpecialTokens of(JsonNode root) {
        List<String> contents = new ArrayList<>();
        boolean normalized = false;
        for (JsonNode added : root.path("added_tokens")) {
            if (added.path("special").asBoolean()) {
                contents.add(added.path("content").asText());
                normalized |= added.path("normalized").asBoolean();
            }
        }
        return new SpecialTokens(List.copyOf(contents), normalized && root.hasNonNull("normalizer"));
    }

    /** Whether encoding a text as usual could give one of them. */
    boolean mayStandIn(String text) {
        return normalized || contents.stream().anyMatch(text::contains);
    }

    /** The parts of a tokenizer that turn text into ids, in which no text matches a special token. */
    String without(JsonNode root) throws IOException {
        JsonNode vocabulary = root.path("model").path("vocab");
        ArrayNode kept = ((ObjectNode) root).arrayNode();
        for (JsonNode added : root.path("added_tokens")) {
            if (!added.path("special").asBoolean()) {
                kept.add(added);
            } else if (!vocabulary.has(added.path("content").asText())) {
                kept.add(((ObjectNode) added).put("content",
                        String.format(Locale.ROOT, NOWHERE, added.path("id").asInt())));
            }
        }
        ((ObjectNode) root).set("added_tokens", kept);
        return Tokenizer.neededParts(root);
    }
}
