package io.github.bitttt.llama.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.TttState;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CheckpointTest {
    @TempDir
    private Path folder;

    private static Checkpoint model(BitLlamaConfig config) {
        return new Checkpoint(config, Weights.init(new BitLlama(config).params(), 3), Map.of("seed", "3"));
    }

    private static Checkpoint small() {
        return model(BitLlamaConfig.of(65, 33, 2, 47));
    }

    @Test
    void mastersComeBackAsTheyWere() throws IOException {
        Checkpoint masters = small();
        masters.save(folder.resolve("m"), "{}");
        Checkpoint read = Checkpoint.load(folder.resolve("m"));
        assertThat(read.config()).isEqualTo(masters.config());
        assertThat(read.metadata()).isEqualTo(masters.metadata());
        assertThat(read.fingerprint()).isEqualTo(masters.fingerprint());
        for (Param param : masters.weights().params()) {
            assertThat(read.weights().floats(param)).containsExactly(masters.weights().floats(param));
        }
        assertThat(Files.list(folder.resolve("m"))).extracting(path -> path.getFileName().toString())
                .containsExactlyInAnyOrder("config.json", "model.safetensors", "tokenizer.json");
    }

    @Test
    void packedHoldsTheSameCodes() throws IOException {
        Checkpoint masters = small();
        masters.pack().save(folder.resolve("p"), "");
        Checkpoint packed = Checkpoint.load(folder.resolve("p"));
        assertThat(packed.fingerprint()).isEqualTo(masters.fingerprint());
        Weights frozen = masters.weights().freeze(true);
        for (Param param : frozen.params()) {
            if (frozen.get(param) instanceof Weight.Ternary ternary) {
                Weight.Ternary read = (Weight.Ternary) packed.weights().get(param);
                assertThat(read.matrix().codes()).containsExactly(ternary.matrix().codes());
                assertThat(read.matrix().scale()).isEqualTo(ternary.matrix().scale());
            }
        }
        Safetensors file = Safetensors.read(folder.resolve("p").resolve(Checkpoint.MODEL_FILE));
        assertThat(file.get("layers.0.mlp.gate_proj.weight").shape()).containsExactly(12L, 33L);
        assertThat(file.get("layers.0.mlp.gate_proj.weight_scale").shape()).containsExactly(1L);
        assertThat(file.get("lm_head.weight_scale").shape()).containsExactly(65L);
    }

    @Test
    void formsOfTheLayerComeBack() throws IOException {
        BitLlamaConfig config = BitLlamaConfig.of(5, 8, 1, 4).withTtt(BitLlamaConfig.Ttt.seed(4))
                .withQuantization(new io.github.bitttt.nn.BitLinear.Quantization(false, false));
        model(config).save(folder.resolve("s"), "");
        assertThat(Checkpoint.load(folder.resolve("s")).config()).isEqualTo(config);
        assertThat(Checkpoint.config(model(config).configJson())).isEqualTo(config);
    }

    @Test
    void unknownKeysAreKept() throws IOException {
        small().save(folder.resolve("a"), "");
        Path config = folder.resolve("a/config.json");
        Files.writeString(config, Files.readString(config).replaceFirst("\\{", "{\"torch_dtype\": \"float32\","));
        Checkpoint.load(folder.resolve("a")).save(folder.resolve("b"), "");
        assertThat(folder.resolve("b/config.json")).content().contains("\"torch_dtype\" : \"float32\"");
    }

    @Test
    void absentKeysTakeTheirDefaults() throws IOException {
        BitLlamaConfig config = ConfigJson.parse("""
                {"vocab_size": 7, "hidden_size": 8, "num_hidden_layers": 1, "intermediate_size": 9}""",
                Path.of("c.json"));
        assertThat(config).isEqualTo(BitLlamaConfig.of(7, 8, 1, 9));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
            "\"hidden_size\" : 33 | \"hidden_size\" : 0 | hidden_size must be at least 1, got 0",
            "\"hidden_size\" : 33 | \"hidden_size\" : 99999999999 | hidden_size must be a whole number below 2^31, got 99999999999",
            "\"hidden_size\" : 33 | \"hidden\" : 33 | hidden_size must be a whole number below 2^31, got nothing",
            "\"num_heads\" : 1 | \"num_heads\" : 3 | ttt.num_heads must divide ttt.memory_size 8, got 3",
            "\"objective\" : \"predict_next\" | \"objective\" : \"guess\" | objective must be one of [reconstruct, predict_next], got \"guess\"",
            "\"inner_rate\" : \"learned\" | \"inner_rate\" : 2 | ttt.inner_rate must be \"learned\" or a number in (0, 1], got 2.0",
            "\"activation_bits\" : 8 | \"activation_bits\" : 4 | activation_bits must be 8 or null, got 4",
            "\"model_type\" : \"bitllama\" | \"model_type\" : \"gpt2\" | model_type must be one of [bitllama], got \"gpt2\""})
    void impossibleConfigsAreNamed(String from, String to, String message) throws IOException {
        small().save(folder.resolve("c"), "");
        Path config = folder.resolve("c/config.json");
        String text = Files.readString(config);
        assertThat(text).contains(from);
        Files.writeString(config, text.replace(from, to));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Checkpoint.load(folder.resolve("c")))
                .withMessage(config + ": " + message);
    }

    @Test
    void wrongTensorsAreNamed() throws IOException {
        small().save(folder.resolve("w"), "");
        Path config = folder.resolve("w/config.json");
        Path model = folder.resolve("w/model.safetensors");
        Files.writeString(config,
                Files.readString(config).replace("\"intermediate_size\" : 47", "\"intermediate_size\" : 48"));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Checkpoint.load(folder.resolve("w")))
                .withMessage(
                        model + ": tensor layers.0.mlp.gate_proj.weight must have shape [48, 33], got F32 [47, 33]");
        Weights weights = small().weights();
        Param gain = weights.params().stream().filter(param -> param.path().equals("norm_f.weight")).findFirst()
                .orElseThrow();
        float[] values = weights.floats(gain).clone();
        values[4] = Float.NaN;
        Checkpoint poisoned = new Checkpoint(small().config(), weights.with(Map.of(gain, values)), Map.of());
        poisoned.save(folder.resolve("n"), "");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Checkpoint.load(folder.resolve("n")))
                .withMessage(
                        folder.resolve("n/model.safetensors")
                                + ": tensor norm_f.weight: every number must be finite, got NaN at element 4");
    }

    @Test
    void anExistingFolderIsLeftAlone() throws IOException {
        Path there = Files.createDirectory(folder.resolve("there"));
        assertThatIOException().isThrownBy(() -> small().save(there, ""))
                .withMessage(there + ": exists already; choose another folder or remove it first");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Checkpoint.load(there)).withMessage(there
                + ": config.json is missing; a model folder holds config.json, model.safetensors and tokenizer.json");
    }

    @Test
    void memoriesComeBackBitForBitAndOnlyToTheirModel() throws IOException {
        Checkpoint checkpoint = small();
        BitLlama model = new BitLlama(checkpoint.config());
        List<MixerState<float[]>> memories = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            float[] w = new float[64];
            w[i] = 0.1f + i;
            float[] previous = new float[33];
            previous[32] = -2.5f;
            memories.add(new TttState<>(w, previous, new float[]{0, 0.5f, 0, 0, -0.5f, 0, 0, 0.25f}));
        }
        Path file = folder.resolve("memory.safetensors");
        MemoryFile.save(file, model, checkpoint.fingerprint(), memories);
        List<MixerState<float[]>> read = MemoryFile.load(file, model, checkpoint.fingerprint());
        for (int i = 0; i < 2; i++) {
            for (int part = 0; part < 3; part++) {
                assertThat(read.get(i).parts().get(part)).containsExactly(memories.get(i).parts().get(part));
            }
        }
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> MemoryFile.load(file, model, "abc"))
                .withMessage(file + ": this memory belongs to the model with fingerprint " + checkpoint.fingerprint()
                        + ", not to this one with abc; load the model that made it");
    }

    @ParameterizedTest
    @CsvSource({"0, 5e9, every number must be at most 4.2949673E9 in magnitude; got 5.0E9 at element 1",
            "1, 6000, every number must be at most 5744.5625 in magnitude; got 6000.0 at element 1",
            "2, 1.5, a head's feature must have a norm of at most 1; got 1.5 in head 0",
            "0, NaN, every number must be finite; got NaN at element 1"})
    void memoriesThatWouldGrowWithoutBoundAreNamed(int part, float value, String message) throws IOException {
        Checkpoint checkpoint = model(BitLlamaConfig.of(65, 33, 1, 47));
        BitLlama model = new BitLlama(checkpoint.config());
        TttState<float[]> memory = new TttState<>(new float[64], new float[33], new float[8]);
        memory.parts().get(part)[1] = value;
        Path file = folder.resolve("memory.safetensors");
        MemoryFile.save(file, model, checkpoint.fingerprint(), List.of(memory));
        String name = List.of("memory", "previous", "feature").get(part);
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> MemoryFile.load(file, model, checkpoint.fingerprint()))
                .withMessage(file + ": tensor layers.0.ttt." + name + ": " + message.replace(';', ','));
    }

    @Test
    void whatCouldNotBeReadAgainIsNotWritten() {
        Path file = folder.resolve("long.safetensors");
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Safetensors.write(file, new LinkedHashMap<>(),
                        Map.of("x", "y".repeat(2 << 20))))
                .withMessageContaining("the header is not valid JSON: String value length");
        assertThat(file).doesNotExist();
    }

    @Test
    void theFingerprintIsOfConfigNamesCodesAndScales() {
        BitLlamaConfig config = BitLlamaConfig.of(65, 33, 2, 47);
        SequencedMap<Param, float[]> numbers = new LinkedHashMap<>();
        for (Param param : new BitLlama(config).params()) {
            float[] values = new float[param.length()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (i * 37 % 11 - 5) / 8f;
            }
            numbers.put(param, values);
        }
        Checkpoint checkpoint = new Checkpoint(config, Weights.of(numbers), Map.of());
        // Recorded; memories that users have saved belong to it.
        assertThat(checkpoint.fingerprint())
                .isEqualTo("5a879b1f658f78055a72ac047d8a3f0e60a7ca366d0a468b6e1b290d8394399d");
        Param projection = checkpoint.weights().params().stream().filter(param -> param.kind() == Param.Kind.TERNARY)
                .findFirst().orElseThrow();
        float[] doubled = checkpoint.weights().floats(projection).clone();
        float[] turned = doubled.clone();
        for (int i = 0; i < doubled.length; i++) {
            doubled[i] *= 2; // the same codes with another scale
            turned[i] = -turned[i]; // the same scale with other codes
        }
        BitLlamaConfig eps = new BitLlamaConfig(65, 33, 2, 47, 1e-6, checkpoint.config().ttt().orElseThrow(),
                checkpoint.config().quantization(), false);
        assertThat(List.of(with(checkpoint, projection, doubled), with(checkpoint, projection, turned),
                new Checkpoint(eps, checkpoint.weights(), Map.of()).fingerprint(),
                checkpoint.fingerprint())).doesNotHaveDuplicates();
    }

    private static String with(Checkpoint checkpoint, Param param, float[] values) {
        return new Checkpoint(checkpoint.config(), checkpoint.weights().with(Map.of(param, values)), Map.of())
                .fingerprint();
    }
}
