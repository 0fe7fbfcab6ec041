package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.llama.io.ModelCard;
import io.github.bitttt.llama.io.ModelFormat;
import io.github.bitttt.llama.io.Reading;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@code import --list} says is read and tested: the golden files are of the families and types that it names, and no others. */
class ReadingsTest {
    private static final Path RESOURCES = Path.of("src/test/resources");

    static List<Path> fixtures() throws IOException {
        try (Stream<Path> all = Stream.of("hf", "bonsai", "gguf").map(RESOURCES::resolve).flatMap(ReadingsTest::list)) {
            return all.filter(path -> Files.exists(path.resolve("config.json")) || path.toString().endsWith(".gguf"))
                    .sorted()
                    .toList();
        }
    }

    private static Stream<Path> list(Path folder) {
        try (Stream<Path> all = Files.list(folder)) {
            return all.toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Reading reading(ModelFormat format, Reading.Kind kind, String name) {
        return format.readings().stream().filter(reading -> reading.kind() == kind && reading.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError(format.name() + " does not list the " + kind + " " + name));
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void whatAGoldenFileHoldsIsListedAsTested(Path fixture) throws IOException {
        ModelFormat format = ModelFormat.of(fixture);
        ModelCard card = format.card(fixture);
        assertThat(card.format()).isEqualTo(format.name());
        assertThat(reading(format, Reading.Kind.FAMILY, card.family()).tested()).isNotEmpty();
        assertThat(format.config(fixture).vocabSize()).isBetween(100, 1_000);
        if (format.name().equals("gguf")) {
            for (String type : card.tensors().keySet()) {
                assertThat(reading(format, Reading.Kind.WEIGHTS, type).tested()).isNotEmpty();
            }
        }
    }

    @Test
    void whatIsSaidToBeTestedByLogitsHasAGoldenFile() throws IOException {
        Set<String> found = new TreeSet<>();
        for (Path fixture : fixtures()) {
            ModelFormat format = ModelFormat.of(fixture);
            ModelCard card = format.card(fixture);
            found.add(format.name() + " " + card.family());
            card.tensors().keySet().forEach(type -> found.add(format.name() + " " + type));
        }
        for (ModelFormat format : ModelFormat.all()) {
            if (List.of("gguf", "huggingface").contains(format.name())) {
                assertThat(format.readings()).filteredOn(reading -> reading.tested().startsWith("logits of")
                        && !Set.of("masters", "groups").contains(reading.name()))
                        .allSatisfy(reading -> assertThat(found).contains(format.name() + " " + reading.name()));
            }
        }
    }

    @Test
    void somethingIsSaidOfEverythingThatIsRead() {
        assertThat(ModelFormat.all()).extracting(ModelFormat::name).containsExactly("original", "gguf", "huggingface",
                "bitllama");
        for (ModelFormat format : ModelFormat.all()) {
            assertThat(format.readings()).isNotEmpty()
                    .allMatch(reading -> !reading.name().isEmpty() && !reading.about().isEmpty());
        }
    }

    @Test
    void aCardSaysHowWeightsArePacked() throws IOException {
        assertThat(card("hf/bitnet-packed-bf16")).isEqualTo(new ModelCard("huggingface", "bitnet",
                "bitnet, autobitlinear, offline", Map.of("BF16", 35L, "U8", 21L)));
        assertThat(card("bonsai/qwen3-tied-f16-mlx2").packing()).isEqualTo("MLX 2-bit in groups of 128");
        assertThat(card("gguf/bitnet-tq.gguf").tensors()).containsKeys("TQ1_0", "TQ2_0");
    }

    private static ModelCard card(String name) throws IOException {
        Path path = RESOURCES.resolve(name);
        return ModelFormat.of(path).card(path);
    }
}
