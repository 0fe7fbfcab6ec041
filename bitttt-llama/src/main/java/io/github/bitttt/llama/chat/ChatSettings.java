package io.github.bitttt.llama.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.text.Excerpt;
import io.github.bitttt.llama.text.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a model's files say about conversations.
 *
 * @param family    {@code model_type} of its config, or the architecture of a GGUF file
 * @param template  the text of its chat template, in Jinja
 * @param endToken  the content of {@code eos_token}
 * @param endTokens ids of {@code eos_token_id} in its config
 */
public record ChatSettings(String family, Optional<String> template, Optional<String> endToken,
        List<Integer> endTokens) {
    /** Of our own models, which tell stories. */
    public static final ChatSettings STORIES = new ChatSettings("bitllama", Optional.empty(), Optional.empty(),
            List.of());

    /** Of a model about which nothing is known. */
    public static final ChatSettings UNKNOWN = new ChatSettings("", Optional.empty(), Optional.empty(), List.of());

    private static final int MAX_SHOWN = 100;
    private static final ObjectMapper JSON = new ObjectMapper();
    /** In the template of the official GGUF of BitNet 2B4T, by which no answer ends. */
    private static final String BROKEN = "BITNETAssistant";
    /** Others that write roles as Falcon3 does, but end a question by a token. */
    private static final List<String> NOT_FALCON = List.of("<|end|>", "<|endoftext|>", "[gMASK]", "</s>");
    private static final Pattern QUESTION_ENDS = Pattern
            .compile(
                    "<\\|user\\|>(\\\\n|\n)?['\"]\\+message(\\['content'\\]|\\[\"content\"\\]|\\.content)\\+eos_token");

    /** Makes the list unmodifiable. */
    public ChatSettings {
        endTokens = List.copyOf(endTokens);
    }

    /** Reads them.
     *
     * @param config          the text of a config.json, or nothing more than its {@code model_type}
     * @param tokenizerConfig the text of a tokenizer_config.json, or {@code {}}
     * @param template        the text of a chat_template.jinja, if there is one
     * @return what they say
     * @throws IllegalArgumentException if a text is no JSON object */
    public static ChatSettings of(String config, String tokenizerConfig, Optional<String> template) {
        JsonNode model = object(config);
        JsonNode tokenizer = object(tokenizerConfig);
        List<Integer> ends = new ArrayList<>();
        JsonNode ids = model.path("eos_token_id");
        for (JsonNode id : ids.isArray() ? ids : List.of(ids)) {
            if (id.isInt() && id.intValue() >= 0) {
                ends.add(id.intValue());
            }
        }
        JsonNode end = tokenizer.path("eos_token");
        return new ChatSettings(model.path("model_type").asText(""),
                template.or(() -> template(tokenizer.path("chat_template"))),
                Stream.of(end, end.path("content")).filter(JsonNode::isTextual).map(JsonNode::textValue).findFirst(),
                ends);
    }

    /** All of them as one text.
     *
     * @return a JSON object, which {@link #of} takes in place of both files */
    public String json() {
        ObjectNode root = JSON.createObjectNode().put("model_type", family);
        template.ifPresent(text -> root.put("chat_template", text));
        endToken.ifPresent(token -> root.put("eos_token", token));
        endTokens.forEach(root.putArray("eos_token_id")::add);
        return root.toString();
    }

    private static JsonNode object(String text) {
        try {
            JsonNode root = JSON.readTree(text);
            if (!root.isObject()) {
                throw new IllegalArgumentException("must be a JSON object, got " + Excerpt.of(text, MAX_SHOWN));
            }
            return root;
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("is not JSON: " + Excerpt.of(e.getOriginalMessage(), MAX_SHOWN), e);
        }
    }

    /** A text, or of several the one that is called default. */
    private static Optional<String> template(JsonNode template) {
        if (template.isTextual()) {
            return Optional.of(template.textValue());
        }
        for (JsonNode one : template) {
            if (one.path("name").asText().equals("default") && one.path("template").isTextual()) {
                return Optional.of(one.path("template").textValue());
            }
        }
        return Optional.empty();
    }

    /** The format that these settings mean: known by the markers of its template, and where that is missing or known to be broken by the
     * family.
     *
     * @param tokenizer of the model
     * @return a format whose tokens the tokenizer has
     * @throws IllegalArgumentException that says why there is none, and what to do */
    public ChatFormat format(Tokenizer tokenizer) {
        ChatFormat format = byTemplate(template.orElse("")).or(() -> byFamily(tokenizer))
                .orElseThrow(() -> new IllegalArgumentException(reason()));
        format.check(tokenizer);
        return format;
    }

    private static Optional<ChatFormat> byTemplate(String text) {
        if (text.contains("<|im_start|>") && text.contains("<|im_end|>") && !text.contains("<|im_sep|>")) {
            return Optional.of(text.contains("</think>") ? ChatFormat.QWEN3 : ChatFormat.CHATML);
        }
        if (text.contains("<|start_header_id|>") && text.contains("<|eot_id|>")) {
            return Optional.of(ChatFormat.LLAMA3);
        }
        if (text.contains("<|eot_id|>") && text.contains("capitalize") && text.contains("Assistant: ")) {
            return Optional.of(ChatFormat.BITNET);
        }
        boolean questionEnds = NOT_FALCON.stream().anyMatch(text::contains)
                || QUESTION_ENDS.matcher(text.replaceAll("[ \t\r]", "")).find();
        return text.contains("<|user|>") && text.contains("<|assistant|>") && !questionEnds
                ? Optional.of(ChatFormat.FALCON3)
                : Optional.empty();
    }

    private Optional<ChatFormat> byFamily(Tokenizer tokenizer) {
        if (template.isEmpty() && family.equals("bitllama")) {
            return Optional.of(ChatFormat.STORIES);
        }
        boolean unusable = template.isEmpty() || template.get().contains(BROKEN);
        return unusable && family.startsWith("bitnet") && tokenizer.addedToken("<|eot_id|>").isPresent()
                ? Optional.of(ChatFormat.BITNET)
                : Optional.empty();
    }

    private String reason() {
        return (template.isEmpty()
                ? "this model has no chat template: perhaps nobody taught it to chat, and it goes on with plain prompts"
                : "this model's chat template is none that is built in, it begins "
                        + Excerpt.of(template.get(), MAX_SHOWN))
                + "; name a format that it knows by --chat-format, one of " + String.join(", ", ChatFormat.names())
                + ", or in Java give a ChatTemplate of your own to Model.withChatTemplate";
    }
}
