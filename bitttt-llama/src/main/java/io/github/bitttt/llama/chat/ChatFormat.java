package io.github.bitttt.llama.chat;

import io.github.bitttt.llama.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** The chat formats that are built in. */
public enum ChatFormat implements ChatTemplate {
    /** Llama 3 and what was made of it: {@code <|start_header_id|>user<|end_header_id|>}, two line breaks, the trimmed text,
     * {@code <|eot_id|>}. */
    LLAMA3(new Form(role -> "<|start_header_id|>" + role + "<|end_header_id|>\n\n", "<|eot_id|>", "<|eot_id|>")
            .trimmed()
            .behind("<|begin_of_text|>"), List.of("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"),
            List.of("<|eot_id|>", "<|end_of_text|>")),

    /** ChatML: {@code <|im_start|>user}, a line break, the text, {@code <|im_end|>}, a line break. */
    CHATML(Form.CHATML, List.of("<|im_start|>", "<|im_end|>"), List.of("<|im_end|>", "<|endoftext|>")),

    /** ChatML of models that think before they answer, such as Qwen3: of earlier answers the thoughts are left out. */
    QWEN3(Form.CHATML.thinking(""), List.of("<|im_start|>", "<|im_end|>"), List.of("<|im_end|>", "<|endoftext|>")),

    /** The same where an answer begins behind an empty thought, so that the model does not think. */
    QWEN3_NO_THINKING(Form.CHATML.thinking("<think>\n\n</think>\n\n"), List.of("<|im_start|>", "<|im_end|>"),
            List.of("<|im_end|>", "<|endoftext|>")),

    /** BitNet b1.58 2B4T: {@code User: }, the trimmed text, {@code <|eot_id|>}; each part by itself, as in the model's own training data. */
    BITNET(new Form(role -> role.substring(0, 1).toUpperCase(Locale.ROOT) + role.substring(1) + ": ", "<|eot_id|>",
            "<|eot_id|>").trimmed().behind("<|begin_of_text|>"), List.of("<|eot_id|>"),
            List.of("<|eot_id|>", "<|end_of_text|>")),

    /** Falcon3: {@code <|user|>}, a line break, the text, a line break; an answer ends with {@code <|endoftext|>}. The markers of roles are
     * letters. */
    FALCON3(new Form(role -> "<|" + role + "|>\n", "\n", "<|endoftext|>\n"), List.of("<|endoftext|>"),
            List.of("<|endoftext|>")),

    /** A model that tells stories and knows no roles: the messages one after another, a line each. */
    STORIES(new Form(_ -> "", "", ""), List.of(), List.of("<|endoftext|>")) {
        @Override
        public List<Part> parts(List<ChatMessage> messages) {
            return List.of(Part.text(messages.stream().map(ChatMessage::content).collect(Collectors.joining("\n"))));
        }
    };

    /**
     * What the formats differ in.
     *
     * @param begin     before the first message
     * @param header    before a text, by its role
     * @param end       behind it
     * @param answerEnd behind an answer
     * @param trim      whether texts are trimmed
     * @param thinks    whether answers begin with thoughts, which are not read again
     * @param thought   behind the header of the next answer
     */
    private record Form(String begin, UnaryOperator<String> header, String end, String answerEnd, boolean trim,
            boolean thinks, String thought) {
        static final Form CHATML = new Form(role -> "<|im_start|>" + role + "\n", "<|im_end|>\n", "<|im_end|>\n");

        Form(UnaryOperator<String> header, String end, String answerEnd) {
            this("", header, end, answerEnd, false, false, "");
        }

        Form behind(String first) {
            return new Form(first, header, end, answerEnd, trim, thinks, thought);
        }

        Form trimmed() {
            return new Form(begin, header, end, answerEnd, true, thinks, thought);
        }

        Form thinking(String first) {
            return new Form(begin, header, end, answerEnd, trim, true, first);
        }

        String text(ChatMessage message) {
            String text = message.content();
            int end = thinks && message.role().equals(ChatMessage.ASSISTANT) ? text.lastIndexOf(THOUGHT_ENDS) : -1;
            if (end >= 0) {
                text = text.substring(end + THOUGHT_ENDS.length()).replaceFirst("^\n+", "");
            }
            return trim ? text.strip() : text;
        }

        static List<Part> marker(String text) {
            return text.isEmpty() ? List.of() : List.of(Part.marker(text));
        }
    }

    private static final String THOUGHT_ENDS = "</think>";
    private static final List<String> ROLES = List.of(ChatMessage.SYSTEM, ChatMessage.USER, ChatMessage.ASSISTANT);

    private final Form form;
    private final List<String> tokens;
    private final List<String> ends;

    /** A format.
     *
     * @param form   of messages
     * @param tokens that a tokenizer must have
     * @param ends   of answers */
    ChatFormat(Form form, List<String> tokens, List<String> ends) {
        this.form = form;
        this.tokens = tokens;
        this.ends = ends;
    }

    @Override
    public List<Part> begin() {
        return Form.marker(form.begin());
    }

    @Override
    public List<Part> parts(List<ChatMessage> messages) {
        List<Part> parts = new ArrayList<>();
        for (ChatMessage message : messages) {
            if (!ROLES.contains(message.role())) {
                throw new IllegalArgumentException("the chat format " + this
                        + " has the roles system, user and assistant, got " + message.role());
            }
            parts.addAll(Form.marker(form.header().apply(message.role())));
            parts.add(Part.text(form.text(message)));
            parts.addAll(Form.marker(message.role().equals(ChatMessage.ASSISTANT) ? form.answerEnd() : form.end()));
        }
        parts.addAll(Form.marker(form.header().apply(ChatMessage.ASSISTANT)));
        parts.addAll(Form.marker(form.thought()));
        return parts;
    }

    @Override
    public List<Part> close() {
        return Form.marker(form.answerEnd());
    }

    @Override
    public List<String> ends() {
        return ends;
    }

    @Override
    public List<String> markers() {
        List<String> markers = new ArrayList<>(tokens);
        switch (this) {
            case QWEN3, QWEN3_NO_THINKING -> markers.addAll(List.of("<think>", THOUGHT_ENDS));
            case FALCON3 -> ROLES.forEach(role -> markers.add("<|" + role + "|>"));
            default -> {
                // its markers are tokens
            }
        }
        return markers;
    }

    @Override
    public void check(Tokenizer tokenizer) {
        for (String token : tokens) {
            if (tokenizer.addedToken(token).isEmpty()) {
                throw new IllegalArgumentException("the chat format " + this + " needs the token " + token
                        + ", which this model's tokenizer does not have");
            }
        }
    }

    /** A format by its name.
     *
     * @param name one of {@link #names()}
     * @return the format
     * @throws IllegalArgumentException if there is none */
    public static ChatFormat of(String name) {
        return Arrays.stream(values()).filter(format -> format.toString().equals(name)).findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "the chat format must be one of " + String.join(", ", names()) + ", got " + name));
    }

    /** All names.
     *  @return of the formats that are built in */
    public static List<String> names() {
        return Arrays.stream(values()).map(ChatFormat::toString).toList();
    }

    /** Its name.
     *  @return such as {@code qwen3-no-thinking} */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
