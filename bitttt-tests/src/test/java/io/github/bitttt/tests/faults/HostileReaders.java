package io.github.bitttt.tests.faults;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.CheckpointException;
import io.github.bitttt.llama.io.OriginalCheckpoint;
import io.github.bitttt.llama.io.Safetensors;
import io.github.bitttt.llama.io.Tensor;
import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.tests.faults.Mutator.Form;
import io.github.bitttt.train.TrainingOptions;
import io.github.bitttt.train.TrainingRun;
import io.github.bitttt.train.TrainingStates;
import java.io.IOException;
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

    private HostileReaders() {
    }

    /** Writes a sound file of every format.
     *
     * @param folder that is empty
     * @return the formats */
    static List<Target> all(Path folder) throws IOException {
        String words = BpeTrainer.train(TEXT, VOCABULARY);
        Checkpoint masters = masters();
        for (String name : List.of("config", "masters", "tokenizer")) {
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
        return List.of(target("tensors", memory, Form.SAFETENSORS, Safetensors::read),
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
