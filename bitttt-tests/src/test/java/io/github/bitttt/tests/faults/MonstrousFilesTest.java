package io.github.bitttt.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.CheckpointException;
import io.github.bitttt.llama.io.Safetensors;
import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files made by hand to be as bad as can be: each is refused by name, within a second and within bounded memory. */
class MonstrousFilesTest {
    private static final int MILLION = 1_000_000;

    @TempDir
    private Path folder;

    private Path safetensors(String header) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        Path file = folder.resolve("monster.safetensors");
        return Files.write(file,
                ByteBuffer.allocate(8 + text.length).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length)
                        .put(text).array());
    }

    private static Throwable refusal(long fileBytes, Effort.Action reader) {
        Effort effort = Effort.of(reader);
        assertThat(effort.excess(fileBytes)).isEmpty();
        return effort.thrown().orElseThrow(() -> new AssertionError("the file was read"));
    }

    private static void assertRefused(Path file, String message) throws IOException {
        assertThat(refusal(Files.size(file), () -> Safetensors.read(file))).isInstanceOf(CheckpointException.class)
                .hasMessageStartingWith(file + ": ").hasMessageContaining(message);
    }

    private static String repeated(int times, UnaryOperator<String> piece) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < times; i++) {
            text.append(i == 0 ? "" : ",").append(piece.apply(String.valueOf(i)));
        }
        return text.toString();
    }

    private static String empty(String name) {
        return "\"" + name + "\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}";
    }

    @Test
    void aHeaderOf2To60Bytes() throws IOException {
        Path file = Files.write(folder.resolve("long"),
                ByteBuffer.allocate(100).order(ByteOrder.LITTLE_ENDIAN).putLong(1L << 60).array());
        assertRefused(file, "the header must have 2 to 92 bytes, the file says 1152921504606846976");
    }

    @Test
    void aMillionTensors() throws IOException {
        assertRefused(safetensors("{" + repeated(MILLION, MonstrousFilesTest::empty) + "}"),
                "exceeds the maximum allowed");
    }

    @Test
    void asManyTensorsAsThereMayBeAreRead() throws IOException {
        Path file = safetensors("{" + repeated(10_000, MonstrousFilesTest::empty) + "}");
        Effort effort = Effort.of(() -> assertThat(Safetensors.read(file).tensors()).hasSize(10_000));
        assertThat(effort.thrown()).isEmpty();
        assertThat(effort.excess(Files.size(file))).isEmpty();
        assertRefused(safetensors("{" + repeated(10_001, MonstrousFilesTest::empty) + "}"), "at most 10000 tensors");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', ignoreLeadingAndTrailingWhitespace = false, value = {
            "[|100000|the header is not valid JSON",
            "{\"a\":|100000|the header is not valid JSON", "{\"a\":[[[[|1000000|the header is not valid JSON",
            "9|1000000|the header is not valid JSON", "\"a|10000000|the header is not valid JSON",
            " |10000000|the header must be a JSON object, got MISSING"})
    void deepLongAndEmptyJson(String piece, int times, String message) throws IOException {
        assertRefused(safetensors(piece.repeat(times)), message);
    }

    @Test
    void twoTensorsOfOneName() throws IOException {
        assertRefused(safetensors("{" + empty("a") + "," + empty("a") + "}"), "Duplicate field 'a'");
    }

    @Test
    void aMissingNameAmongTenThousandLongOnes() throws IOException {
        Path file = safetensors("{" + repeated(10_000, i -> empty("x".repeat(90) + i)) + "}");
        assertThat(refusal(Files.size(file), () -> Safetensors.read(file).get("y".repeat(90))))
                .hasMessageContaining("missing; found 10000 tensors, nearest name x");
    }

    @Test
    void aFileLargerThanMemory() throws IOException {
        String name = "{"
                + repeated(4096, i -> "\"" + i + "\":{\"dtype\":\"U8\",\"shape\":[2147483000],\"data_offsets\":["
                        + Long.parseLong(i) * 2147483000L + "," + (Long.parseLong(i) + 1) * 2147483000L + "]}")
                + "}";
        Path file = safetensors(name);
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(sparse.length() + 4096 * 2147483000L);
        }
        assertThat(refusal(MILLION, () -> Safetensors.read(file))).isInstanceOf(IOException.class)
                .hasMessageContaining("bytes do not fit into").hasMessageContaining("give it more by -Xmx");
    }

    private Checkpoint sound(BitLlamaConfig config) {
        return new Checkpoint(config, Weights.init(new BitLlama(config).params(), 1), Map.of());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
            "\"num_hidden_layers\" : 1|\"num_hidden_layers\" : 2147483647|num_hidden_layers 2147483647 takes at least 7 tensors a layer",
            "\"hidden_size\" : 8|\"hidden_size\" : 2147483647|hidden_size must be at most 16777216, got 2147483647",
            "\"vocab_size\" : 9|\"vocab_size\" : 16777216|must have shape [16777216, 8]",
            "\"intermediate_size\" : 5|\"intermediate_size\" : 16777217|intermediate_size must be at most 16777216",
            "\"memory_size\" : 2|\"memory_size\" : 65536|takes a memory of 4294967296 numbers a layer",
            "\"num_heads\" : 1|\"num_heads\" : 2147483647|num_heads must be at most 16777216",
            "\"rms_norm_eps\" : 1.0E-5|\"rms_norm_eps\" : 1e400|rms_norm_eps must be in (0, 1), got Infinity",
            "\"rms_norm_eps\" : 1.0E-5|\"rms_norm_eps\" : NaN|is not valid JSON",
            "\"model_type\"|\"vocab_size\" : 3, \"model_type\"|Duplicate field 'vocab_size'",
            "\"quant_method\" : \"bitnet\",|\"quant_method\" : {, |is not valid JSON"})
    void configsThatPromiseTooMuch(String from, String to, String message) throws IOException {
        sound(BitLlamaConfig.of(9, 8, 1, 5)).save(folder.resolve("m"), "");
        Path config = folder.resolve("m/config.json");
        String text = Files.readString(config);
        assertThat(text).contains(from);
        Files.writeString(config, text.replace(from, to));
        assertThat(refusal(Files.size(config), () -> Checkpoint.load(folder.resolve("m"))))
                .isInstanceOf(CheckpointException.class).hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {"[|100000|is not valid JSON",
            "{\"ttt\":|100000|is not valid JSON", "9|1000|is not valid JSON",
            "x|2000000|must have at most 1048576 bytes",
            "\u00e9|10|must be UTF-8 text", "[]|1|must be a JSON object, got ARRAY"})
    void configsThatAreNone(String piece, int times, String message) throws IOException {
        sound(BitLlamaConfig.of(9, 8, 1, 5)).save(folder.resolve("m"), "");
        Path config = Files.write(folder.resolve("m/config.json"),
                piece.repeat(times).getBytes(StandardCharsets.ISO_8859_1));
        assertThat(refusal(Files.size(config), () -> Checkpoint.load(folder.resolve("m"))))
                .isInstanceOf(CheckpointException.class).hasMessageContaining(message);
    }

    @ParameterizedTest
    @CsvSource({"norm_f.weight, NaN, every number must be finite",
            "embed.weight, Infinity, every number must be finite",
            "lm_head.weight, -Infinity, every number must be finite",
            "layers.0.norm1.weight, 3.4E38, every number must be at most 1000.0 in magnitude",
            "layers.0.ttt.shift, -1001, every number must be at most 1000.0 in magnitude"})
    void numbersThatAreNone(String tensor, float value, String message) throws IOException {
        Checkpoint sound = sound(BitLlamaConfig.of(9, 8, 1, 5));
        float[] values = Weights.init(new BitLlama(sound.config()).params(), 1).params().stream()
                .filter(param -> param.path().equals(tensor)).map(sound.weights()::floats).findFirst().orElseThrow();
        values[1] = value;
        sound.save(folder.resolve("m"), "");
        assertThat(catchThrowable(() -> Checkpoint.load(folder.resolve("m")))).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tensor " + tensor).hasMessageContaining(message);
    }

    @Test
    void denormalNumbersAreNumbers() throws IOException {
        Checkpoint tiny = sound(BitLlamaConfig.of(9, 8, 2, 5));
        tiny.weights().params().forEach(param -> Arrays.fill(tiny.weights().floats(param), Float.MIN_VALUE));
        tiny.save(folder.resolve("masters"), "");
        tiny.pack().save(folder.resolve("packed"), "");
        for (String name : new String[]{"masters", "packed"}) {
            Model model = Model.of(Checkpoint.load(folder.resolve(name)));
            for (int i = 0; i < 9; i++) {
                for (float logit : model.newSession().feed(i)) {
                    assertThat(logit).isFinite();
                }
            }
        }
    }

    @Test
    void aTokenizerWithAnIdOf2To31() throws IOException {
        String words = BpeTrainer.train("One day a cat sat on a mat.", 258);
        for (String id : new String[]{"2147483647", "-1", "2147483648", "5.5", "null", "\"0\""}) {
            assertThat(refusal(words.length(),
                    () -> Tokenizer.parse(words.replaceFirst("\"id\" : 0", "\"id\" : " + id), "t")))
                    .isInstanceOf(IOException.class).hasMessage("t: token ids must be 0 to 258, got " + id
                            + " for \"<|endoftext|>\"");
        }
    }

    /** The native library would end the process. */
    @Test
    void aTokenizerWhoseMergesLackTheirPrefix() throws IOException {
        String words = BpeTrainer.train("One day a cat sat on a mat.", 258);
        String prefixed = words.replaceFirst("\"continuing_subword_prefix\" : null",
                "\"continuing_subword_prefix\" : \"##\"");
        assertThat(prefixed).isNotEqualTo(words);
        for (String bad : new String[]{prefixed, prefixed.replaceFirst("\\[ *\"a\", *\"t\" *\\]", "\"a t\"")}) {
            assertThat(refusal(words.length(), () -> Tokenizer.parse(bad, "t"))).isInstanceOf(IOException.class)
                    .hasMessageStartingWith(
                            "t: the second part of a merge must begin with continuing_subword_prefix ##, got ");
        }
        assertThat(refusal(words.length(), () -> Tokenizer.parse(words.replaceFirst("BPE", "Unigram"), "t")))
                .isInstanceOf(IOException.class)
                .hasMessage(
                        "t: model.type must be BPE, whose tokens are bytes, got Unigram; a model with such a tokenizer"
                                + " can be used by token ids only");
    }

    /** The native library would end the process over these as well; they take no part in encoding. */
    @Test
    void aTokenizerWhoseOtherPartsAreDamaged() throws IOException {
        String words = BpeTrainer.train("One day a cat sat on a mat.", 258);
        String decoder = words.replaceFirst("\"decoder\" : \\{", "\"decoder\" : { \"x\" : 1e999,");
        assertThat(decoder).isNotEqualTo(words);
        assertThat(Tokenizer.parse(decoder, "t").encode("a cat"))
                .isEqualTo(Tokenizer.parse(words, "t").encode("a cat"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {"[|100000|is not JSON",
            "{\"model\":|100000|is not JSON",
            "9|100000|is not JSON", "\"a|15000000|is not JSON", "x|70000000|must have at most 33554432 bytes",
            "{}|1|model.vocab is not there"})
    void tokenizersThatAreNone(String piece, int times, String message) throws IOException {
        Path file = Files.writeString(folder.resolve("tokenizer.json"), piece.repeat(times));
        assertThat(refusal(Files.size(file), () -> Tokenizer.load(file))).isInstanceOf(IOException.class)
                .hasMessageStartingWith(file + ": " + message);
    }

    @Test
    void everyTextIsEncoded() throws IOException {
        Tokenizer tokenizer = Tokenizer.parse(BpeTrainer.train("One day a cat sat on a mat.", 258), "t");
        SplittableRandom random = new SplittableRandom(8);
        for (int i = 0; i < 2_000; i++) {
            char[] characters = new char[random.nextInt(40)];
            for (int at = 0; at < characters.length; at++) {
                characters[at] = (char) random.nextInt(i % 2 == 0 ? 0x100 : 0x10000);
            }
            String text = new String(characters);
            String decoded = tokenizer.decode(tokenizer.encode(text));
            // Half a surrogate pair is no character and becomes U+FFFD.
            boolean whole = StandardCharsets.UTF_8.newEncoder().canEncode(text);
            assertThat(decoded.equals(text)).as("text %d", i).isEqualTo(whole);
        }
    }
}
