package io.github.bitttt.llama.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Models in several files, and formats by what a path looks like. */
class ShardedTensorsTest {
    @TempDir
    private Path folder;
    private Checkpoint whole;
    private Path index;

    @BeforeEach
    void writeTwoFiles() throws IOException {
        BitLlamaConfig config = BitLlamaConfig.of(9, 8, 1, 5);
        whole = new Checkpoint(config, Weights.init(new BitLlama(config).params(), 3), Map.of()).pack();
        whole.save(folder.resolve("m"), "");
        Path model = folder.resolve("m/model.safetensors");
        SequencedMap<String, Tensor> a = new LinkedHashMap<>();
        SequencedMap<String, Tensor> b = new LinkedHashMap<>();
        Safetensors.read(model).tensors()
                .forEach((name, tensor) -> (name.startsWith("layers.") ? b : a).put(name, tensor));
        Safetensors.write(folder.resolve("m/a.safetensors"), a, Map.of());
        Safetensors.write(folder.resolve("m/b.safetensors"), b, Map.of());
        Files.delete(model);
        index = folder.resolve("m").resolve(ShardedTensors.INDEX);
        StringBuilder map = new StringBuilder();
        a.keySet().forEach(name -> map.append(map.isEmpty() ? "" : ",").append("\"" + name + "\":\"a.safetensors\""));
        b.keySet().forEach(name -> map.append(",\"" + name + "\":\"b.safetensors\""));
        Files.writeString(index, "{\"metadata\":{\"total_size\":0},\"weight_map\":{" + map + "}}");
    }

    @Test
    void severalFilesAreOneModel() throws IOException {
        assertThat(Checkpoint.load(folder.resolve("m")).fingerprint()).isEqualTo(whole.fingerprint());
    }

    @Test
    void oneFileComesBeforeAnIndex() throws IOException {
        whole.saveWeights(folder.resolve("m"));
        Files.writeString(index, "{}");
        assertThat(Checkpoint.load(folder.resolve("m")).fingerprint()).isEqualTo(whole.fingerprint());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
            "\"norm_f.weight\":\"a|\"norm_f.weight\":\"../a|weight_map.norm_f.weight must be the plain name of a .safetensors file beside the index, got \"../a.safetensors\"",
            "\"norm_f.weight\":\"a|\"norm_f.weight\":\"/etc/a|weight_map.norm_f.weight must be the plain name of a .safetensors file beside the index, got \"/etc/a.safetensors\"",
            "\"norm_f.weight\":\"a|\"norm_f.weight\":\"c:a|weight_map.norm_f.weight must be the plain name of a .safetensors file beside the index, got \"c:a.safetensors\"",
            "\"norm_f.weight\":\"a.safetensors\"|\"norm_f.weight\":[7]|weight_map.norm_f.weight must be the plain name of a .safetensors file beside the index, got [7]",
            "\"norm_f.weight\":\"a|\"norm_f.weight\":\"c|c.safetensors is missing; it stands in weight_map",
            "\"norm_f.weight\"|\"norm_f.gain\"|tensor norm_f.weight stands here, the index says nothing of it",
            "\"norm_f.weight\":\"a|\"norm_f.weight\":\"b|tensor norm_f.weight stands here, the index says b.safetensors",
            "\"norm_f.weight\"|\"other.weight\":\"b.safetensors\",\"norm_f.weight\"|tensor other.weight is not in b.safetensors, where weight_map puts it",
            "\"norm_f.weight\"|\"embed.weight\"|is not valid JSON: Duplicate field 'embed.weight'",
            "weight_map|weights|weight_map must be an object of 1 to 10000 names, got nothing"})
    void anIndexThatDoesNotAgreeIsNamed(String from, String to, String message) throws IOException {
        String text = Files.readString(index);
        assertThat(text).contains(from);
        Files.writeString(index, text.replace(from, to));
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Checkpoint.load(folder.resolve("m"))).withMessageContaining(message);
    }

    @Test
    void messagesNameTheFileOfTheTensor() throws IOException {
        Path config = folder.resolve("m/config.json");
        Files.writeString(config, Files.readString(config).replace("\"intermediate_size\" : 5",
                "\"intermediate_size\" : 50"));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Checkpoint.load(folder.resolve("m")))
                .withMessage(folder.resolve("m/b.safetensors")
                        + ": tensor layers.0.mlp.gate_proj.weight must have shape [13, 8], got U8 [2, 8]");
    }

    /** What is mapped is never copied whole: a file that is far larger than memory is refused by what a model would take. */
    @Test
    void aMappedFileMayBeLargerThanMemory() throws IOException {
        long rows = 1L << 40;
        String header = "{\"x\":{\"dtype\":\"BF16\",\"shape\":[%d,2],\"data_offsets\":[0,%d]}}".formatted(rows,
                4 * rows);
        Path file = folder.resolve("large.safetensors");
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.writeLong(Long.reverseBytes(header.length()));
            sparse.writeBytes(header);
            sparse.setLength(sparse.length() + 4 * rows);
        }
        try (Arena arena = Arena.ofConfined()) {
            Safetensors mapped = Safetensors.map(file, arena);
            assertThat(mapped.get("x").shape()).containsExactly(rows, 2L);
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> mapped.floats("x", java.util.List.of(2, 2), 1))
                    .withMessage(file + ": tensor x must have shape [2, 2], got BF16 [1099511627776, 2]");
        }
        assertThatIOException().isThrownBy(() -> Safetensors.read(file)).withMessageContaining("do not fit into");
    }

    @Test
    void aFileIsReadByTheFormatThatAcceptsIt() throws IOException {
        assertThat(ModelFormat.all()).extracting(ModelFormat::name).containsExactly("original", "gguf",
                "huggingface", "bitllama");
        Path file = folder.resolve("m/a.safetensors");
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Checkpoint.load(file))
                .withMessageStartingWith(file + ": tensor layers.0.ttt.down.weight missing; found ");
    }
}
