package io.github.bitttt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.text.BpeTrainer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** What is said of other people's models before they are run. */
class ImportedModelsTest {
    private static final Path RESOURCES = Path.of("..", "bitttt-tests", "src", "test", "resources");
    private static final String TEXT = "the cat sat on the mat and the dog sat on the cat, then the bird came over and all of them went away to "
            + "where the other cats were sitting on mats";

    @TempDir
    private Path folder;

    private static String run(String... arguments) {
        StringWriter out = new StringWriter();
        CommandLine commandLine = Main.commandLine().setOut(new PrintWriter(out))
                .setErr(new PrintWriter(new StringWriter()));
        assertThat(commandLine.execute(arguments)).isZero();
        return out.toString();
    }

    private static JsonNode json(String... arguments) throws IOException {
        return new ObjectMapper().readTree(run(arguments));
    }

    @Test
    void theListNamesFamiliesAndFormsWithTheirTests() throws IOException {
        assertThat(run("import", "--list")).contains("huggingface", "  family    bitnet       BitNet b1.58 2B4T",
                "tested: logits of transformers 5.18", "  weights   TQ1_0        ternary codes, 1.69 bits each",
                "  weights   Q8_0         numbers, 8.50 bits each", "  tokenizer llama-bpe", "not tested",
                "the published weights themselves were not run");
        JsonNode readings = json("import", "--list", "--json").get("readings");
        assertThat(readings).hasSizeGreaterThan(25).allSatisfy(reading -> assertThat(reading).hasSize(5));
        assertThat(Main.commandLine().setErr(new PrintWriter(new StringWriter())).execute("import"))
                .isEqualTo(Main.USAGE);
        assertThat(Main.commandLine().setErr(new PrintWriter(new StringWriter())).execute("import", "--list",
                "--original", "x",
                "--out", "y")).isEqualTo(Main.USAGE);
    }

    @Test
    void aFolderOfHuggingFace() throws IOException {
        Path model = Files.createDirectories(folder.resolve("model"));
        for (String file : new String[]{"config.json", "model.safetensors"}) {
            Files.copy(RESOURCES.resolve("hf/bitnet-packed-bf16").resolve(file), model.resolve(file));
        }
        JsonNode without = json("inspect", "--model", model.toString(), "--json");
        assertThat(without.get("tokenizer").asText())
                .startsWith("none that is read: " + model.resolve("tokenizer.json"));
        Files.writeString(model.resolve("tokenizer.json"), BpeTrainer.train(TEXT, 301));
        Files.writeString(model.resolve("tokenizer_config.json"),
                "{\"chat_template\": \"<|im_start|> and <|im_end|>\"}");
        Files.writeString(model.resolve("generation_config.json"), "{\"eos_token_id\": [0, 70]}");
        JsonNode told = json("inspect", "--model", model.toString(), "--json");
        assertThat(told.get("family").asText()).isEqualTo("bitnet");
        assertThat(told.get("packing").asText()).isEqualTo("bitnet, autobitlinear, offline");
        assertThat(told.at("/types/U8").asInt()).isEqualTo(21);
        assertThat(told.at("/weights/ternary").asInt()).isEqualTo(21);
        assertThat(told.get("activations").asText()).isEqualTo("int8");
        assertThat(told.get("context_length").asInt()).isPositive();
        assertThat(told.at("/tokenizer/kind").asText()).isEqualTo("BPE");
        assertThat(told.at("/tokenizer/tokens").asInt()).isEqualTo(301);
        assertThat(told.at("/end_tokens/0").asText()).isEqualTo("<|endoftext|>");
        assertThat(told.get("end_tokens")).hasSize(2);
        assertThat(told.get("chat_format").asText())
                .startsWith("none: the chat format chatml needs the token <|im_start|>");
        assertThat(told.get("chat_template").asText()).isEqualTo("<|im_start|> and <|im_end|>");
        assertThat(told.get("fingerprint")).isEqualTo(without.get("fingerprint"));
        assertThat(run("inspect", "--model", model.toString())).contains("family         bitnet", "context_length",
                "end_tokens",
                "4 heads on 2");
    }

    @Test
    void aGgufFile() throws IOException {
        JsonNode told = json("inspect", "--model", RESOURCES.resolve("gguf/llama-prism-128.gguf").toString(), "--json");
        assertThat(told.get("format").asText()).isEqualTo("gguf");
        assertThat(told.get("family").asText()).isEqualTo("llama");
        assertThat(told.at("/types/PQ2_0").asInt()).isPositive();
        assertThat(told.get("activations").asText()).isEqualTo("float");
        assertThat(json("inspect", "--model", RESOURCES.resolve("gguf/llama-prism-128.gguf").toString(),
                "--activations", "int8",
                "--json").get("activations").asText()).isEqualTo("int8");
    }

    @Test
    void aModelOfTheZoo() throws IOException {
        JsonNode told = json("inspect", "--json");
        assertThat(told.get("format").asText()).isEqualTo("zoo");
        assertThat(told.get("family").asText()).isEqualTo("bitllama");
        assertThat(told.get("chat_format").asText()).isEqualTo("stories");
        assertThat(told.has("context_length")).isFalse();
    }
}
