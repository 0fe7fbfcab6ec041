package io.github.bitttt.llama.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GenerationOptionsTest {
    private static final GenerationOptions DEFAULTS = GenerationOptions.DEFAULTS;

    @Test
    void everyNameReplacesItsValue() {
        GenerationOptions all = DEFAULTS.withJson(
                """
                        {"temperature": 0.5, "top_k": 7, "top_p": 0.25, "repetition_penalty": 1.5, "sequence_penalty": 2, "seed": -9223372036854775808,
                         "max_new_tokens": 0, "stop": ["\\n", "x"], "eos_token_id": [1, 2], "echo": true}""");
        assertThat(all).isEqualTo(new GenerationOptions(new SamplerOptions(0.5, 7, 0.25, 1.5, 2, Long.MIN_VALUE), 0,
                List.of("\n", "x"), List.of(1, 2), true));
        assertThat(DEFAULTS.withTemperature(0.5).withTopK(7).withTopP(0.25).with("repetition_penalty", 1.5f)
                .with(Map.of("sequence_penalty", "2")).withSeed(Long.MIN_VALUE).withMaxNewTokens(0).withStop("\n", "x")
                .with("eos_token_id", List.of(1, 2)).withEcho(true)).isEqualTo(all);
        assertThat(DEFAULTS.withJson("{}")).isEqualTo(DEFAULTS);
        assertThat(DEFAULTS.withJson(all.json())).isEqualTo(all);
        assertThat(DEFAULTS.with("stop", "one").stop()).containsExactly("one");
        assertThat(DEFAULTS.with("eos_token_id", 3).endTokens()).containsExactly(3);
        assertThat(DEFAULTS.with("seed", "12").with("top_k", 3.0).sampling())
                .isEqualTo(new SamplerOptions(0.8, 3, 0.9, 1, 0.8, 12));
    }

    @ParameterizedTest(name = "{0} = {1}")
    @CsvSource(delimiter = '|', value = {"temperature|-1|temperature must be at least 0, got -1.0",
            "temperature|hot|temperature must be a number, got \"hot\"",
            "temperature|NaN|temperature must be at least 0, got NaN", "top_k|-1|top_k must be at least 0, got -1",
            "top_k|1.5|top_k must be a whole number of 64 bits, got \"1.5\"",
            "top_k|3000000000|top_k must be a whole number of 32 bits, got \"3000000000\"",
            "top_p|0|top_p must be above 0 and at most 1, got 0.0",
            "repetition_penalty|0.5|repetition_penalty must be at least 1, got 0.5",
            "sequence_penalty|-0.1|sequence_penalty must be at least 0, got -0.1",
            "seed|1e999999999|seed must be a whole number of 64 bits, got \"1e999999999\"",
            "seed|one|seed must be a whole number, got \"one\"",
            "max_new_tokens|-1|max_new_tokens must be at least 0, got -1",
            "eos_token_id|-1|eos_token_id must be at least 0, got -1", "stop|''|a stop text must not be empty",
            "echo|yes|echo must be true or false, got \"yes\"",
            "top-k|1|there is no option \"top-k\"; there are temperature, top_k, top_p, repetition_penalty, sequence_penalty, seed, max_new_tokens, stop, eos_token_id, echo"})
    void saysWhatIsWrong(String name, String value, String message) {
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.with(name, value)).withMessage(message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"[]|options must be a JSON object, got array",
            "null|options must be a JSON object, got null", "{|options must be a JSON object: Unexpected end-of-input",
            "{\"seed\": 1, \"seed\": 2}|options must be a JSON object: Duplicate field 'seed'",
            "{\"stop\": [1]}|stop must be a text or a list of texts, got [1]",
            "{\"seed\": null}|seed must be a whole number, got null",
            "{\"stop\": null}|stop must be a text or a list of texts, got null"})
    void saysWhatIsWrongWithJson(String json, String message) {
        assertThatIllegalArgumentException().isThrownBy(() -> DEFAULTS.withJson(json)).withMessageStartingWith(message);
    }

    private static Path folder(Path folder) throws IOException {
        BitLlamaConfig config = BitLlamaConfig.of(270, 16, 1, 21);
        new Checkpoint(config, Weights.init(new BitLlama(config).params(), 1), Map.of()).save(folder,
                BpeTrainer.train(TinyModel.TEXT, 270));
        return folder;
    }

    @Test
    void aFolderSaysHowItsTextsAreWritten(@TempDir Path temporary) throws IOException {
        Path folder = folder(temporary.resolve("model"));
        try (Model model = Model.load(folder)) {
            assertThat(model.defaults()).isEqualTo(DEFAULTS);
        }
        // As Hugging Face publishes them: names of no meaning here, several end tokens, values left out.
        Files.writeString(folder.resolve(Model.GENERATION_CONFIG), """
                {"_from_model_config": true, "bos_token_id": 128000, "do_sample": true, "eos_token_id": [1, 0],
                 "max_length": 4096, "temperature": 0.6, "top_p": 0.9, "pad_token_id": null, "top_k": null}""");
        GenerationOptions published = new GenerationOptions(new SamplerOptions(0.6, 50, 0.9, 1, 0, 1), 300, List.of(),
                List.of(1, 0), false);
        try (Model model = Model.load(folder.toString())) {
            assertThat(model.defaults()).isEqualTo(published);
            assertThat(model.withDefaults(DEFAULTS).defaults()).isEqualTo(DEFAULTS);
        }
        Files.writeString(folder.resolve(Model.GENERATION_CONFIG), "{\"do_sample\": false, \"temperature\": 0.6}");
        try (Model model = Model.load(folder)) {
            assertThat(model.defaults().sampling().temperature()).isZero();
        }
    }

    @Test
    void aWrongFileIsNamed(@TempDir Path temporary) throws IOException {
        Path folder = folder(temporary.resolve("model"));
        Path file = folder.resolve(Model.GENERATION_CONFIG);
        Files.writeString(file, "{\"top_k\": -3}");
        assertThatIOException().isThrownBy(() -> Model.load(folder))
                .withMessage(file + ": top_k must be at least 0, got -3");
        Files.writeString(file, "[");
        assertThatIOException().isThrownBy(() -> Model.load(folder))
                .withMessageStartingWith(file + ": options must be a JSON object: ");
        Files.write(file, new byte[(1 << 22) + 1]);
        assertThatIOException().isThrownBy(() -> Model.load(folder))
                .withMessage(file + ": must have at most 4194304 bytes, got 4194305");
    }
}
