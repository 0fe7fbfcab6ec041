package io.github.bitttt.tests.faults;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.chat.ChatMessage;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.CheckpointException;
import io.github.bitttt.llama.io.OriginalCheckpoint;
import io.github.bitttt.llama.io.Safetensors;
import io.github.bitttt.llama.io.Tensor;
import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.tests.GgufWriter;
import io.github.bitttt.tests.faults.Mutator.Form;
import io.github.bitttt.train.TrainingOptions;
import io.github.bitttt.train.TrainingRun;
import io.github.bitttt.train.TrainingStates;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Every file format that bitttt reads, with a sound file of it: what the fuzzer damages. A new reader is one more line in
 * {@link #all}.
 */
final class HostileReaders {
    private static final String TEXT = "One day a cat sat on a mat. Two dogs ran to the cat. ".repeat(3);
    private static final int VOCABULARY = 262;

    /** Reads a file and uses what it says, as a user would. */
    @FunctionalInterface
    interface Reader {
        void read(Path file) throws IOException;
    }

    /**
     * One format.
     *
     * @param name     of the format
     * @param file     a sound file, which the fuzzer overwrites
     * @param form     what it is made of
     * @param refusals the documented exception
     * @param reader   what reads it
     */
    record Target(String name, Path file, Form form, Class<? extends IOException> refusals, Reader reader) {}

    private static final Path RESOURCES = Path.of("src/test/resources");

    private HostileReaders() {
    }

    /** Writes a sound file of every format.
     *
     * @param folder that is empty
     * @return the formats */
    static List<Target> all(Path folder) throws IOException {
        String words = BpeTrainer.train(TEXT, VOCABULARY);
        Checkpoint masters = masters();
        for (String name : List.of("config", "masters", "tokenizer", "chat")) {
            masters.save(folder.resolve(name), words);
        }
        masters.pack().save(folder.resolve("packed"), words);
        Model model = Model.of(masters);
        Path memory = folder.resolve("memory.safetensors");
        try (Session session = model.newSession()) {
            session.feed(new int[]{1, 2, 3, 4});
            session.saveMemory(memory);
        }
        shards(folder.resolve("shards"), masters);
        Path original = folder.resolve("original.safetensors");
        Safetensors.write(original, originalTensors(), Map.of());
        Path run = folder.resolve("run");
        TrainingOptions options = TrainingOptions.of(64).withBatch(2, 8);
        TrainingRun.start(run, masters, Tokenizer.parse(words, "words"), new TrainingRun.Texts(TEXT, TEXT), options)
                .close();
        BitLlama trained = new BitLlama(masters.config());
        Path gguf = folder.resolve("model.gguf");
        Files.write(gguf, GgufWriter.llama(36, HostileReaders::i2s, 1, HostileReaders::halves).bytes());
        Path chat = folder.resolve("chat/tokenizer_config.json");
        Files.writeString(chat,
                "{\"eos_token\": {\"content\": \"<|endoftext|>\"}, \"chat_template\": [{\"name\": \"default\", "
                        + "\"template\": \"{{ '<|user|>\\n' + message['content'] + '\\n<|assistant|>\\n' }}\"}]}");
        Path theirs = folder.resolve("theirs");
        huggingFace(theirs, "hf/bitnet-packed-bf16");
        Path hybrid = folder.resolve("hybrid");
        huggingFace(hybrid, "bonsai/next-moe-bf16");
        Path rotated = Files.copy(RESOURCES.resolve("gguf/qwen35-hadamard-ptq1.gguf"), folder.resolve("rotated.gguf"));
        return List.of(target("gguf", gguf, Form.GGUF, file -> say(Model.of(Checkpoint.load(file)))),
                target("gguf of a hybrid", rotated, Form.GGUF, file -> say(Model.of(Checkpoint.load(file)))),
                target("config of a hybrid", hybrid.resolve("config.json"), Form.JSON, file -> use(file.getParent())),
                new Target("gguf tokenizer", Files.copy(gguf, folder.resolve("words.gguf")), Form.GGUF,
                        IOException.class,
                        HostileReaders::readGgufWords),
                target("their config", theirs.resolve("config.json"), Form.JSON, file -> use(file.getParent())),
                target("chat settings", chat, Form.JSON, HostileReaders::readChat),
                target("their tensors", theirs.resolve("model.safetensors"), Form.SAFETENSORS,
                        file -> use(file.getParent())),
                target("tensors", memory, Form.SAFETENSORS, Safetensors::read),
                target("config", folder.resolve("config/config.json"), Form.JSON, file -> use(file.getParent())),
                target("masters", folder.resolve("masters/model.safetensors"), Form.SAFETENSORS,
                        file -> use(file.getParent())),
                target("packed", folder.resolve("packed/model.safetensors"), Form.SAFETENSORS,
                        file -> use(file.getParent())),
                target("index", folder.resolve("shards/model.safetensors.index.json"), Form.JSON,
                        file -> use(file.getParent())),
                target("shard", folder.resolve("shards/model-1.safetensors"), Form.SAFETENSORS,
                        file -> use(file.getParent())),
                target("memory", memory, Form.SAFETENSORS, file -> goOn(model, file)),
                target("training state", run.resolve(TrainingStates.FILE), Form.SAFETENSORS,
                        file -> TrainingStates.read(run, trained)),
                target("original checkpoint", original, Form.SAFETENSORS,
                        file -> say(Model.of(OriginalCheckpoint.convert(file)))),
                new Target("tokenizer", folder.resolve("tokenizer/tokenizer.json"), Form.JSON, IOException.class,
                        HostileReaders::readWords));
    }

    /** Ternary codes that repeat, and a scale. */
    private static byte[] i2s(int rows, int columns) {
        ByteBuffer data = ByteBuffer.allocate(rows * columns / 4 + 32).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < rows * columns / 4; i++) {
            data.put((byte) (i % 5 == 0 ? 0x99 : 0x46));
        }
        return data.putFloat(0.01f).array();
    }

    private static byte[] halves(int rows, int columns) {
        ByteBuffer data = ByteBuffer.allocate(2 * rows * columns).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < rows * columns; i++) {
            data.putShort(Float.floatToFloat16((i % 7 - 3) * 0.1f));
        }
        return data.array();
    }

    /** A small model in Hugging Face's form. */
    private static void huggingFace(Path folder, String model) throws IOException {
        Path from = RESOURCES.resolve(model);
        Files.createDirectories(folder);
        for (String name : List.of("config.json", "model.safetensors")) {
            Files.copy(from.resolve(name), folder.resolve(name));
        }
    }

    private static void readGgufWords(Path file) throws IOException {
        Zoo.Entry entry = Zoo.load(file);
        for (int id : entry.tokenizer().encode("ab a")) {
            entry.tokenizer().decode(id);
        }
        entry.tokenizer().close();
    }

    /** A template that is damaged means another format, or none. */
    private static void readChat(Path file) throws IOException {
        Zoo.Entry entry = Zoo.load(file.getParent());
        try (Tokenizer tokenizer = entry.tokenizer()) {
            entry.chat().format(tokenizer).parts(List.of(ChatMessage.user("a")));
        } catch (IllegalArgumentException e) {
            if (!e.getMessage().contains("--chat-format")) {
                throw e;
            }
        }
    }

    private static Target target(String name, Path file, Form form, Reader reader) {
        return new Target(name, file, form, CheckpointException.class, reader);
    }

    private static Checkpoint masters() {
        BitLlamaConfig config = BitLlamaConfig.of(VOCABULARY, 8, 2, 11)
                .withTtt(BitLlamaConfig.Ttt.standard(4).withHeads(2).withDecay(true));
        return new Checkpoint(config, Weights.init(new BitLlama(config).params(), 5), Map.of("data", "a text"));
    }

    /** The same model in two files with an index. */
    private static void shards(Path folder, Checkpoint model) throws IOException {
        model.save(folder, "");
        Safetensors whole = Safetensors.read(folder.resolve("model.safetensors"));
        StringBuilder index = new StringBuilder("{\"metadata\": {\"total_size\": 1}, \"weight_map\": {");
        List<SequencedMap<String, Tensor>> parts = List.of(new LinkedHashMap<>(), new LinkedHashMap<>());
        int count = 0;
        for (Map.Entry<String, Tensor> entry : whole.tensors().entrySet()) {
            int part = count++ % 2;
            parts.get(part).put(entry.getKey(), entry.getValue());
            index.append(count == 1 ? "" : ", ")
                    .append("\"%s\": \"model-%d.safetensors\"".formatted(entry.getKey(), part + 1));
        }
        for (int part = 0; part < 2; part++) {
            Safetensors.write(folder.resolve("model-" + (part + 1) + ".safetensors"), parts.get(part), Map.of());
        }
        Files.writeString(folder.resolve("model.safetensors.index.json"), index + "}}");
        Files.delete(folder.resolve("model.safetensors"));
    }

    private static SequencedMap<String, Tensor> originalTensors() {
        BitLlamaConfig config = BitLlamaConfig.of(13, 8, 1, 11).withTtt(BitLlamaConfig.Ttt.seed(4))
                .withQuantization(new Quantization(false, false)).withHeadBias(true);
        Weights weights = Weights.init(new BitLlama(config).params(), 5);
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        for (Param param : weights.params()) {
            tensors.put(param.path(), Tensor.of(((Weight.Floats) weights.get(param)).values(),
                    param.shape().stream().mapToLong(Integer::longValue).toArray()));
        }
        return tensors;
    }

    private static void use(Path folder) throws IOException {
        say(Model.of(Checkpoint.load(folder)));
    }

    /** A model that loads must also run, and every number of it be finite. */
    private static void say(Model model) {
        try (Session session = model.newSession()) {
            for (int i = 0; i < 4; i++) {
                finite(session.feed(i % model.architecture().config().vocabSize()));
            }
        }
    }

    private static void goOn(Model model, Path memory) throws IOException {
        try (Session session = model.newSession()) {
            session.loadMemory(memory);
            for (int i = 0; i < 4; i++) {
                finite(session.feed(i));
            }
        }
    }

    private static void finite(float[] logits) {
        for (float logit : logits) {
            if (!Float.isFinite(logit)) {
                throw new AssertionError("a logit is " + logit);
            }
        }
    }

    private static void readWords(Path file) throws IOException {
        Tokenizer tokenizer = Tokenizer.load(file);
        for (int id : tokenizer.encode(TEXT)) {
            tokenizer.decode(id);
        }
    }
}
