package io.github.bitttt.llama.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.chat.ChatFormat;
import io.github.bitttt.llama.chat.ChatFormatTest;
import io.github.bitttt.llama.chat.ChatMessage;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.CheckpointException;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Conversations of a loaded model: found in its folder, gone on with turn by turn. */
class ChatTest {
    private static final List<String> SPECIALS = List.of("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>",
            "<|end_header_id|>", "<|eot_id|>");
    private static final String LLAMA = "{\"chat_template\": \"{{ '<|start_header_id|>' + role + '<|end_header_id|>' + content"
            + " + '<|eot_id|>' }}\", \"eos_token\": \"<|end_of_text|>\"}";

    @TempDir
    private Path temporary;

    private Path folder(String tokenizerConfig) throws IOException {
        Path folder = temporary.resolve("model");
        try (Tokenizer tokenizer = ChatFormatTest.tokenizer(SPECIALS, List.of(), true)) {
            BitLlamaConfig config = BitLlamaConfig.of(tokenizer.vocabSize() + 9, 32, 2, 96).withAttention(4)
                    .with(OptionalDouble.empty(), OptionalInt.of(200));
            new Checkpoint(config, Weights.init(new BitLlama(config).params(), 3), Map.of()).save(folder,
                    tokenizer.json());
        }
        if (!tokenizerConfig.isEmpty()) {
            Files.writeString(folder.resolve("tokenizer_config.json"), tokenizerConfig);
        }
        return folder;
    }

    /** Writes what it is told to, whatever is likely. */
    private record Told(List<Integer> ids, int[] at) implements Sampler {
        static Told of(Model model, String text, int... more) {
            List<Integer> ids = new java.util.ArrayList<>();
            for (int id : model.tokenizer().encodeAsText(text)) {
                ids.add(id);
            }
            for (int id : more) {
                ids.add(id);
            }
            return new Told(ids, new int[1]);
        }

        @Override
        public int pick(float[] logits) {
            return ids.get(at[0]++);
        }
    }

    private static Generation.Result answer(Session session, Told told, ChatMessage... messages) {
        return session.chat(List.of(messages), session.model().defaults(), told, () -> false).result();
    }

    @Test
    void turnByTurn() throws IOException {
        try (Model model = Model.load(folder(LLAMA));
                Session session = model.newSession();
                Session whole = model.newSession()) {
            Tokenizer tokenizer = model.tokenizer();
            int end = tokenizer.addedToken("<|eot_id|>").getAsInt();
            int over = tokenizer.addedToken("<|end_of_text|>").getAsInt();
            assertThat(model.chat().template()).isEqualTo(ChatFormat.LLAMA3);
            assertThat(model.defaults().endTokens()).containsExactlyInAnyOrder(end, over);

            Generation.Result first = answer(session, Told.of(model, "Good day", end), ChatMessage.system("x"),
                    ChatMessage.user("Hey"));
            assertThat(first.text()).isEqualTo("Good day");
            assertThat(first.finish()).isEqualTo(Generation.Finish.END_OF_TEXT);
            long read = session.position();
            Generation.Result second = answer(session, Told.of(model, "A", over), ChatMessage.user("Who are you?"));
            assertThat(second.text()).isEqualTo("A");

            // The second turn read the first's end and its own message, and nothing again.
            int[] next = tokenizer.encode("<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nWho are you?<|eot_id|>"
                    + "<|start_header_id|>assistant<|end_header_id|>\n\n");
            assertThat(second.usage().promptTokens()).isEqualTo(next.length);
            assertThat(session.position()).isEqualTo(read + next.length + 1);
            whole.feed(model.chat().first(List.of(ChatMessage.system("x"), ChatMessage.user("Hey"),
                    ChatMessage.assistant("Good day"), ChatMessage.user("Who are you?"))));
            float[] expected = whole.feed(tokenizer.encode("A")[0]).clone();
            assertThat(session.logits()).usingComparatorWithPrecision(1e-4f).containsExactly(expected);

            // A client that sends all of it finds it read; only the rest is new.
            int[] all = model.chat().first(List.of(ChatMessage.system("x"), ChatMessage.user("Hey"),
                    ChatMessage.assistant("Good day"), ChatMessage.user("Who are you?"), ChatMessage.assistant("A"),
                    ChatMessage.user("Hey")));
            assertThat(session.inCommon(all)).isEqualTo((int) session.position());
        }
    }

    /** What begins a conversation stands there once; what was saved in the midst of one goes on with an answer to close. */
    @Test
    void resetForkedAndSaved() throws IOException {
        try (Model model = Model.load(folder(LLAMA));
                Session session = model.newSession();
                Session loaded = model.newSession()) {
            int end = model.tokenizer().addedToken("<|eot_id|>").getAsInt();
            int first = answer(session, Told.of(model, "Good", end), ChatMessage.user("Hey")).usage().promptTokens();
            Path file = temporary.resolve("memory");
            session.saveMemory(file);
            loaded.loadMemory(file);
            try (Session fork = session.fork()) {
                for (Session one : List.of(session, fork, loaded)) {
                    // One begin of text less, one end more.
                    assertThat(answer(one, Told.of(model, "Good", end), ChatMessage.user("Hey")).usage().promptTokens())
                            .isEqualTo(first);
                    one.reset();
                    assertThat(answer(one, Told.of(model, "Good", end), ChatMessage.user("Hey")).usage().promptTokens())
                            .isEqualTo(first);
                }
            }
            // A text that is no answer has nothing to close.
            session.reset();
            session.learn("Who are you?");
            assertThat(answer(session, Told.of(model, "Good", end), ChatMessage.user("Hey")).usage().promptTokens())
                    .isEqualTo(first - 1);
        }
    }

    /** Rows behind the tokenizer's last token are nobody's text. */
    @Test
    void rowsWithoutATokenAreNoText() throws IOException {
        try (Model model = Model.load(folder(LLAMA)); Session session = model.newSession()) {
            int end = model.tokenizer().addedToken("<|eot_id|>").getAsInt();
            int nobody = model.tokenizer().vocabSize() + 3;
            assertThat(answer(session, Told.of(model, "Good", nobody, nobody, end), ChatMessage.user("Hey")).text())
                    .isEqualTo("Good");
        }
    }

    @Test
    void withoutAFormatTheErrorSaysWhatToDo() throws IOException {
        try (Model model = Model.load(folder("{\"chat_template\": \"[INST] {{ content }} [/INST]\"}"));
                Session session = model.newSession();
                Session other = model.withChatTemplate(ChatFormat.BITNET).newSession()) {
            assertThat(model.defaults().endTokens()).isEmpty();
            assertThatThrownBy(() -> session.chat("Hey")).isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("none that is built in, it begins [INST] {{ content }} [/INST]")
                    .hasMessageContaining("--chat-format").hasMessageContaining("Model.withChatTemplate");
            int end = model.tokenizer().addedToken("<|eot_id|>").getAsInt();
            assertThat(answer(other, Told.of(model, "Good", end), ChatMessage.user("Hey")).text()).isEqualTo("Good");
            assertThatThrownBy(() -> model.withChatTemplate(ChatFormat.QWEN3))
                    .hasMessageContaining("needs the token <|im_start|>");
        }
    }

    @Test
    void aConversationBeyondTheContextIsRefused() throws IOException {
        try (Model model = Model.load(folder(LLAMA)); Session session = model.newSession()) {
            assertThatThrownBy(() -> session.chat("Hey, who are you? ".repeat(40)))
                    .isInstanceOf(ContextLimitException.class)
                    .hasMessageContaining("the model's context takes 200 tokens, got ");
            assertThat(session.position()).isZero();
        }
    }

    @Test
    void aBrokenFileIsNamed() throws IOException {
        Path folder = folder("{\"chat_template\": ");
        assertThatThrownBy(() -> Model.load(folder)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tokenizer_config.json").hasMessageContaining("is not JSON");
    }

    /** The file beside the folder's others goes first, as in Hugging Face's newer folders. */
    @Test
    void aTemplateInItsOwnFile() throws IOException {
        Path folder = folder("{\"eos_token\": \"<|eot_id|>\"}");
        Files.writeString(folder.resolve("chat_template.jinja"),
                "{{ message['role'] | capitalize + ': ' + content + '<|eot_id|>' }}{{ 'Assistant: ' }}");
        try (Model model = Model.load(folder)) {
            assertThat(model.chat().template()).isEqualTo(ChatFormat.BITNET);
        }
    }

    @Test
    void storiesKnowNoRoles() throws IOException {
        Model model = TinyModel.of(16, 2, 1);
        assertThat(model.chat().template()).isEqualTo(ChatFormat.STORIES);
        assertThat(model.defaults()).isEqualTo(GenerationOptions.DEFAULTS);
        try (Session session = model.newSession(); Session other = model.newSession()) {
            assertThat(session.chat("One day").result()).isEqualTo(other.generate("One day").result());
            assertThat(session.chat(" a cat").result()).isEqualTo(other.generate(" a cat").result());
        }
    }
}
