package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.chat.ChatFormat;
import io.github.bitttt.llama.chat.ChatMessage;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.CheckpointException;
import io.github.bitttt.llama.io.Safetensors;
import io.github.bitttt.llama.io.Tensor;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.GatedDeltaState;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.naive.Doubles;
import io.github.bitttt.nn.naive.NaiveOps;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Other people's ternary transformers as GGUF files, and with scales of groups, hybrids too: logits are those of an independent program or of transformers
 * ({@code /gguf/README.md}, {@code /bonsai/README.md}).
 */
class ImportedGoldenTest {
    private static final Path FOLDER = Path.of("src/test/resources/gguf");
    private static final Path FOLDERS = Path.of("src/test/resources/bonsai");
    private static final String NAME = "bitnet-i2s";

    @TempDir
    private Path temporary;

    private record Sequence(int[] ids, double[][] logits) {
        static List<Sequence> of(String name) throws IOException {
            Path folder = FOLDERS.resolve(name);
            Safetensors file = Safetensors.read(Files.exists(folder)
                    ? folder.resolve("expected.safetensors")
                    : FOLDER.resolve(name + ".expected.safetensors"));
            String prefix = file.tensors().containsKey("logits.0") ? "logits." : "f32.logits.";
            List<Sequence> sequences = new ArrayList<>();
            for (int k = 0; file.tensors().containsKey("ids." + k); k++) {
                long[] ids = new long[Math.toIntExact(file.get("ids." + k).shape().getFirst())];
                file.get("ids." + k).data().asByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asLongBuffer().get(ids);
                float[] logits = file.get(prefix + k).floats();
                int vocabulary = logits.length / ids.length;
                sequences.add(new Sequence(Arrays.stream(ids).mapToInt(Math::toIntExact).toArray(),
                        IntStream.range(0, ids.length).mapToObj(t -> IntStream.range(0, vocabulary)
                                .mapToDouble(i -> logits[t * vocabulary + i]).toArray()).toArray(double[][]::new)));
            }
            assertThat(sequences).hasSizeGreaterThan(2);
            return sequences;
        }
    }

    static List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER); Stream<Path> folders = Files.list(FOLDERS)) {
            return Stream
                    .concat(files.filter(file -> file.toString().endsWith(".gguf")), folders.filter(Files::isDirectory))
                    .map(file -> file.getFileName().toString().replace(".gguf", "")).sorted().toList();
        }
    }

    private static Path file(String name) {
        return Files.exists(FOLDERS.resolve(name)) ? FOLDERS.resolve(name) : FOLDER.resolve(name + ".gguf");
    }

    private static double worst(double[][] rows, double[][] others) {
        double largest = Arrays.stream(others).flatMapToDouble(Arrays::stream).map(Math::abs).max().orElseThrow();
        return IntStream.range(0, rows.length).boxed().flatMapToDouble(t -> IntStream.range(0, rows[t].length)
                .mapToDouble(i -> Math.abs(rows[t][i] - others[t][i]))).max().orElseThrow() / largest;
    }

    private static double[] doubles(float[] row) {
        return IntStream.range(0, row.length).mapToDouble(i -> row[i]).toArray();
    }

    private static double[][] whole(Model model, int[] ids) {
        List<double[]> rows = new ArrayList<>();
        try (Session session = model.newSession()) {
            session.feed(ids, (_, row) -> rows.add(doubles(row)));
        }
        return rows.toArray(double[][]::new);
    }

    @ParameterizedTest
    @MethodSource("names")
    void logitsOfBothReadings(String name) throws IOException {
        Checkpoint checkpoint = Checkpoint.load(file(name));
        BitLlama llama = new BitLlama(checkpoint.config());
        Model model = Model.of(checkpoint);
        for (Sequence sequence : Sequence.of(name)) {
            double[][] naive = llama.forward(new NaiveOps(checkpoint.weights()), llama.memories(NaiveOps::empty),
                    Doubles.tokens(sequence.ids())).rows();
            assertThat(worst(naive, sequence.logits())).as("naive").isLessThan(1e-4);
            assertThat(worst(whole(model, sequence.ids()), sequence.logits())).as("cpu").isLessThan(1e-4);
        }
    }

    @ParameterizedTest
    @MethodSource("names")
    void byStepsForkedAndSaved(String name) throws IOException {
        Model model = Model.of(Checkpoint.load(file(name)));
        int[] ids = Sequence.of(name).getLast().ids();
        double[][] whole = whole(model, ids);
        Path memory = temporary.resolve("memory");
        try (Session session = model.newSession(); Session loaded = model.newSession()) {
            for (int t = 0; t < ids.length / 2; t++) {
                assertThat(worst(new double[][]{doubles(session.feed(ids[t]))}, new double[][]{whole[t]}))
                        .isLessThan(1e-5);
            }
            session.saveMemory(memory);
            loaded.loadMemory(memory);
            try (Session fork = session.fork()) {
                for (int t = ids.length / 2; t < ids.length; t++) {
                    float[] row = session.feed(ids[t]).clone();
                    assertThat(worst(new double[][]{doubles(row)}, new double[][]{whole[t]})).isLessThan(1e-5);
                    assertThat(fork.feed(ids[t])).isEqualTo(row);
                    assertThat(loaded.feed(ids[t])).isEqualTo(row);
                }
            }
        }
    }

    /** What gated delta layers have learned after the last sequence is what transformers says, to the last row that the convolution keeps. */
    @ParameterizedTest
    @ValueSource(strings = {"hybrid-f16", "hybrid-f16-mlx2", "hybrid-nested-bf16", "next-moe-bf16"})
    void memoriesOfHybrids(String name) throws IOException {
        Checkpoint checkpoint = Checkpoint.load(file(name));
        Safetensors expected = Safetensors.read(FOLDERS.resolve(name).resolve("expected.safetensors"));
        try (Session session = Model.of(checkpoint).newSession()) {
            session.feed(Sequence.of(name).get(4).ids());
            List<MixerState<float[]>> memories = session.memories();
            int compared = 0;
            for (int layer = 0; layer < memories.size(); layer++) {
                if (memories.get(layer) instanceof GatedDeltaState<float[]>(float[] weights, float[] tail)) {
                    double[] known = doubles(expected.get("f32.memory.4." + layer).floats());
                    assertThat(worst(new double[][]{doubles(weights)}, new double[][]{known})).isLessThan(1e-4);
                    float[] kept = expected.get("f32.conv.4." + layer).floats(); // [C, 4], the oldest first
                    float[] last = new float[tail.length];
                    for (int i = 0; i < last.length; i++) {
                        last[i] = kept[i % (last.length / 3) * 4 + 1 + i / (last.length / 3)];
                    }
                    assertThat(worst(new double[][]{doubles(tail)}, new double[][]{doubles(last)})).isLessThan(1e-4);
                    compared++;
                }
            }
            assertThat(compared).isPositive();
        }
    }

    /** With activations rounded to int8, a scale for each row: the error of the logits as a share of their deviation. */
    @ParameterizedTest
    @CsvSource({"hybrid-f16, 0.042", "qwen35-pq2, 0.044", "qwen35-hadamard-ptq1, 0.015", "qwen3-untied-bf16, 0.02",
            "qwen3-tied-f16, 0.028", "qwen3-tied-f16-mlx2, 0.028", "qwen3-pq2, 0.034"})
    void roundedActivationsCostLittle(String name, double most) throws IOException {
        Checkpoint checkpoint = Checkpoint.load(file(name));
        Model model = Model.of(new Checkpoint(checkpoint.config().withQuantization(Quantization.BITNET),
                checkpoint.weights(), checkpoint.metadata()));
        double error = 0;
        for (Sequence sequence : Sequence.of(name).subList(2, 5)) {
            double[][] logits = whole(model, sequence.ids());
            double[] expected = Arrays.stream(sequence.logits()).flatMapToDouble(Arrays::stream).toArray();
            double[] found = Arrays.stream(logits).flatMapToDouble(Arrays::stream).toArray();
            double mean = Arrays.stream(expected).average().orElseThrow();
            double difference = 0;
            double deviation = 0;
            for (int i = 0; i < found.length; i++) {
                difference += Math.pow(found[i] - expected[i], 2);
                deviation += Math.pow(expected[i] - mean, 2);
            }
            error += Math.sqrt(difference / deviation) / 3;
        }
        System.out.printf("INT8 ACTIVATIONS %s: %.4f%n", name, error);
        assertThat(error).isGreaterThan(1e-4).isLessThan(most);
    }

    /** A float is no ternary number: the message says where. */
    @Test
    void whatIsNotTernaryIsNamed() throws IOException {
        Path folder = Files.createDirectories(temporary.resolve("not-ternary"));
        Path from = FOLDERS.resolve("qwen3-tied-f16");
        Files.copy(from.resolve("config.json"), folder.resolve("config.json"));
        Safetensors whole = Safetensors.read(from.resolve("model.safetensors"));
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>(whole.tensors());
        String name = "model.layers.1.mlp.up_proj.weight";
        float[] values = whole.get(name).floats();
        values[128 * 70 + 5] = 0.4f * Math.max(Math.abs(values[128 * 70]), Math.abs(values[128 * 70 + 1]));
        tensors.put(name, Tensor.of(values, 128, 128));
        Safetensors.write(folder.resolve("model.safetensors"), tensors, Map.of());
        assertThatThrownBy(() -> Checkpoint.load(folder)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("tensor " + name).hasMessageContaining("in row 70 is not ternary")
                .hasMessageContaining("only ternary models are read");
    }

    /** Written as a folder of ours, scales of groups included, it is the same model. */
    @ParameterizedTest
    @MethodSource("names")
    void asAFolderOfOurs(String name) throws IOException {
        Checkpoint checkpoint = Checkpoint.load(file(name));
        Path folder = temporary.resolve("folder");
        checkpoint.save(folder, "");
        Checkpoint again = Checkpoint.load(folder);
        assertThat(again.fingerprint()).isEqualTo(checkpoint.fingerprint());
        int[] ids = Sequence.of(name).getLast().ids();
        assertThat(whole(Model.of(again), ids)).isDeepEqualTo(whole(Model.of(checkpoint), ids));
    }

    private Path changed(String from, String to) throws IOException {
        byte[] bytes = Files.readAllBytes(file(NAME));
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        assertThat(text).contains(from);
        return Files.write(temporary.resolve("changed.gguf"),
                text.replace(from, to).getBytes(StandardCharsets.ISO_8859_1));
    }

    @ParameterizedTest
    @CsvSource({
            "general.architecture\\x08\\0\\0\\0\\x0c\\0\\0\\0\\0\\0\\0\\0bitnet-b1.58, general.architecture\\x08\\0\\0\\0\\x0c\\0\\0\\0\\0\\0\\0\\0bitnet-b9.99, general.architecture must be one of",
            "blk.1.ffn_down.weight, blk.1.ffn_dowm.weight, tensor blk.1.ffn_down.weight missing",
            "blk.1.attn_norm.weight\\x01\\0\\0\\0, blk.1.attn_norm.weight\\x05\\0\\0\\0, must have 1 or 2 dimensions",
            "GGUF\\x03, GGUF\\x01, the version must be 2 or 3",
            "bitnet-b1.58.block_count\\x04\\0\\0\\0\\x02, bitnet-b1.58.block_count\\x04\\0\\0\\0\\x7f, block_count 127 takes at least",
            "tokenizer.ggml.bos_token_id, tokenizer.ggml.eos_token_id, stands there twice"})
    void whatIsWrongIsNamed(String from, String to, String message) throws IOException {
        Path file = changed(unescaped(from), unescaped(to));
        assertThatThrownBy(() -> Checkpoint.load(file)).isInstanceOf(CheckpointException.class)
                .hasMessageContaining("changed.gguf").hasMessageContaining(message);
    }

    private static String unescaped(String text) {
        return text.replace("\\x01", "\1").replace("\\x02", "\2").replace("\\x03", "\3").replace("\\x04", "\4")
                .replace("\\x05", "\5").replace("\\x08", "\b").replace("\\x0c", "\f").replace("\\x7f", "\177")
                .replace("\\0", "\0");
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Q2_0: 64 or 128 codes behind an F16 scale, here 0.5 times 1, 0, -1, 1 and so on. */
    private static GgufWriter.Matrix twoBits(int group) {
        return (rows, columns) -> {
            ByteBuffer data = buffer(rows * columns / group * (2 + group / 4));
            for (int block = 0; block < rows * columns / group; block++) {
                data.putShort(Float.floatToFloat16(0.5f));
                for (int i = 0; i < group / 4; i++) {
                    data.put((byte) 0b10_00_01_10);
                }
            }
            return data.array();
        };
    }

    /** Numbers (i mod 61 - 30) / 8 of a row, in a type that holds them exactly. */
    private static byte[] exact(int type, int rows, int columns) {
        ByteBuffer data = buffer(rows * columns * 4);
        for (int row = 0; row < rows; row++) {
            int[] codes = IntStream.range(0, columns).map(i -> i % 61 - 30).toArray();
            switch (type) {
                case 0 -> Arrays.stream(codes).forEach(code -> data.putFloat(code / 8f));
                case 1 -> Arrays.stream(codes).forEach(code -> data.putShort(Float.floatToFloat16(code / 8f)));
                case 30 -> Arrays.stream(codes)
                        .forEach(code -> data.putShort((short) (Float.floatToRawIntBits(code / 8f) >>> 16)));
                case 8 -> {
                    for (int i = 0; i < columns; i++) {
                        if (i % 32 == 0) {
                            data.putShort(Float.floatToFloat16(0.125f));
                        }
                        data.put((byte) codes[i]);
                    }
                }
                default -> {
                    byte[] block = new byte[208];
                    for (int i = 0; i < columns; i++) { // one block of 256
                        int six = codes[i] + 32;
                        int half = i / 128;
                        int part = i % 128;
                        block[64 * half + part % 64] |= (byte) ((six & 15) << 4 * (part / 64));
                        block[128 + 32 * half + part % 32] |= (byte) (six >> 4 << 2 * (part / 32));
                        block[192 + i / 16] = 2;
                    }
                    data.put(block).putShort(Float.floatToFloat16(0.0625f));
                }
            }
        }
        return Arrays.copyOf(data.array(), data.position());
    }

    @ParameterizedTest
    @CsvSource({"0", "1", "30", "8", "14"})
    void numbersOfEveryType(int type) throws IOException {
        Path file = Files.write(temporary.resolve("model.gguf"),
                GgufWriter.llama(142, twoBits(128), type, (rows, columns) -> exact(type, rows, columns)).bytes());
        Checkpoint checkpoint = Checkpoint.load(file);
        float[] embedding = ((Weight.Floats) checkpoint.weights().get(checkpoint.weights().params().getFirst()))
                .values();
        for (int i = 0; i < embedding.length; i++) {
            assertThat(embedding[i]).as("element %d", i).isEqualTo((i % 256 % 61 - 30) / 8f);
        }
    }

    /** Type 42 means groups of 64 or, in older files, of 128; the file's sizes tell. */
    @ParameterizedTest
    @CsvSource({"64", "128"})
    void twoFormsOfOneType(int group) throws IOException {
        Path file = Files.write(temporary.resolve("model.gguf"),
                GgufWriter.llama(42, twoBits(group), 0, (rows, columns) -> exact(0, rows, columns)).bytes());
        Checkpoint checkpoint = Checkpoint.load(file);
        for (Param param : checkpoint.weights().params()) {
            if (checkpoint.weights().get(param) instanceof Weight.Ternary(var matrix)) {
                assertThat(matrix.scale()).isEqualTo(0.5f); // all groups have the same
                assertThat(Arrays.copyOf(matrix.codes(), 8)).containsExactly(1, 0, -1, 1, 1, 0, -1, 1);
            }
        }
    }

    /** The tokenizer and the end tokens come out of the file as well. */
    @Test
    void aFileIsAWholeModel() throws IOException {
        Path file = Files.write(temporary.resolve("model.gguf"),
                GgufWriter.llama(142, twoBits(128), 0, (rows, columns) -> exact(0, rows, columns)).bytes());
        try (Model model = Model.load(file); Session session = model.newSession()) {
            assertThat(model.tokenizer().encode("ab a<|eot_id|>")).containsExactly(5, 7, 1);
            assertThat(model.defaults().endTokens()).containsExactly(1);
            assertThat(model.tokenizer().beginOfText()).hasValue(0);
            // What stands before a first text stands there once, and not before a second one.
            assertThat(session.encode("ab a")).containsExactly(0, 5, 7);
            assertThat(session.encode("<|begin_of_text|>ab a")).containsExactly(0, 5, 7);
            assertThat(session.encodeAsText("ab a")).containsExactly(0, 5, 7);
            assertThat(session.generate("ab a", model.defaults().withMaxNewTokens(3)).result().usage().promptTokens())
                    .isEqualTo(3);
            assertThat(session.encode("ab a")).containsExactly(5, 7);
            session.reset();
            assertThat(session.generate("ab a", model.defaults().withMaxNewTokens(1).withEcho(true)).result().text())
                    .startsWith("ab a");
        }
    }

    /** So does the chat format, by the markers of the template. */
    @Test
    void aFileKnowsHowItChats() throws IOException {
        GgufWriter writer = GgufWriter.llama(142, twoBits(128), 0, (rows, columns) -> exact(0, rows, columns));
        Path plain = Files.write(temporary.resolve("plain.gguf"), writer.bytes());
        Path chats = Files.write(temporary.resolve("chats.gguf"), writer.key("tokenizer.chat_template",
                "{{ message['role'] | capitalize + ': ' + message['content'] + '<|eot_id|>' }}{{ 'Assistant: ' }}")
                .bytes());
        try (Model model = Model.load(plain)) {
            assertThatThrownBy(model::chat).isInstanceOf(IllegalStateException.class)
                    .hasMessageStartingWith("this model has no chat template");
        }
        try (Model model = Model.load(chats)) {
            assertThat(model.chat().template()).isEqualTo(ChatFormat.BITNET);
            int[] ids = model.chat().first(List.of(ChatMessage.user("a b<|eot_id|>")));
            assertThat(ids[0]).isZero();
            assertThat(Arrays.stream(ids).filter(id -> id == 1)).hasSize(1);
        }
        assertThat(Zoo.load(chats).chat().endToken()).hasValue("<|eot_id|>");
    }

    /** The kernels' order of TL1 and TL2 does not stand in the file. */
    @Test
    void typesThatCannotBeReadSayWhy() throws IOException {
        byte[] bytes = Files.readAllBytes(file(NAME));
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        int type = text.indexOf("blk.0.attn_q.weight") + "blk.0.attn_q.weight".length() + 4 + 16;
        assertThat(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(type)).isEqualTo(36);
        bytes[type] = 38;
        Path file = Files.write(temporary.resolve("tl1.gguf"), bytes);
        assertThatThrownBy(() -> Checkpoint.load(file)).hasMessageContaining("blk.0.attn_q.weight is of type 38, TL1")
                .hasMessageContaining("give its folder of safetensors");
        Path cut = Files.write(temporary.resolve("cut.gguf"), Arrays.copyOf(Files.readAllBytes(file(NAME)), 400_000));
        assertThatThrownBy(() -> Checkpoint.load(cut)).hasMessageContaining("it is truncated");
    }
}
