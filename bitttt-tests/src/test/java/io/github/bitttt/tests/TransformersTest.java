package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The zoo's folders in Hugging Face transformers, by the Python file that lies in them. Needs a Python with torch and transformers:
 * {@code -Dbitttt.python=PATH}, or {@code python3} on the path.
 */
class TransformersTest {
    private static final String PYTHON = System.getProperty("bitttt.python", "python3");
    private static final List<String> FILES = List.of("config.json", "model.safetensors", "tokenizer.json",
            "modeling_bitllama.py");
    private static final int[] IDS = {427, 441, 259, 400, 401, 283, 259, 2029, 5, 9, 427, 441, 259};

    @TempDir
    private Path folder;

    static boolean transformersAreThere() {
        try {
            return new ProcessBuilder(PYTHON, "-c", "import torch, transformers").redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
        } catch (IOException | InterruptedException e) {
            return false;
        }
    }

    private JsonNode python(Path model, String... split) throws Exception {
        List<String> command = new ArrayList<>(List.of(PYTHON, "src/test/python/transformers_logits.py",
                model.toString(), Arrays.stream(IDS).mapToObj(String::valueOf).collect(Collectors.joining(","))));
        command.addAll(List.of(split));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
        // Where transformers copies the folder's Python file to.
        builder.environment().put("HF_HOME", folder.resolve("cache").toString());
        builder.environment().put("HF_HUB_OFFLINE", "1");
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes());
        assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).isZero();
        return new ObjectMapper().readTree(out);
    }

    private Path unpacked(String name) throws IOException {
        Path model = Files.createDirectory(folder.resolve(name));
        for (String file : FILES) {
            try (InputStream in = Zoo.class.getResourceAsStream(name + "/" + file)) {
                Files.copy(in, model.resolve(file));
            }
        }
        return model;
    }

    @EnabledIf(value = "transformersAreThere", disabledReason = "no Python with torch and transformers; set -Dbitttt.python to one")
    @ParameterizedTest
    @ValueSource(strings = {"stories-256x4", "stories-256x4-18m", "stories-256x4-seed"})
    void logitsAreOurs(String name) throws Exception {
        Path model = unpacked(name);
        JsonNode python = python(model, "5");
        Model ours = Model.load(model);
        try (Session session = ours.newSession()) {
            float largest = 0;
            for (int t = 0; t < IDS.length; t++) {
                float[] logits = session.feed(IDS[t]);
                for (int word = 0; word < logits.length; word++) {
                    largest = Math.max(largest, Math.abs(logits[word]));
                    assertThat((float) python.get("logits").get(t).get(word).doubleValue())
                            .as("token %d, word %d", t, word)
                            .isCloseTo(logits[word], within(1e-4f * Math.max(1, largest)));
                }
            }
        }
        assertThat(python.get("greedy").size()).isEqualTo(IDS.length + 8);
    }

    @Test
    void eachFolderHoldsTheSameFile() throws IOException {
        List<String> texts = new ArrayList<>();
        for (String name : Zoo.names()) {
            try (InputStream in = Zoo.class.getResourceAsStream(name + "/modeling_bitllama.py")) {
                texts.add(new String(in.readAllBytes()));
            }
        }
        assertThat(texts).hasSizeGreaterThan(1).allMatch(texts.getFirst()::equals);
    }
}
