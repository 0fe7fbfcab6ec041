package io.github.bitttt.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.io.CheckpointException;
import io.github.bitttt.llama.io.Safetensors;
import io.github.bitttt.llama.io.Tensor;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * All that a run needs to go on: masters, moments, running means, carried memories, step, options, and which texts it reads.
 * The order of windows follows from seed and step.
 */
record TrainingState(Safetensors file, TrainingOptions options, long step, Best best) {
    static final String FOLDER = "training";
    private static final String FILE = "state.safetensors";
    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * The best validation so far.
     *
     * @param loss  in nats per token; infinite before the first
     * @param since validations since then, none of which was better
     */
    record Best(double loss, int since) {
        static final Best NONE = new Best(Double.POSITIVE_INFINITY, 0);
    }

    static String digest(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java has SHA-256", e);
        }
    }

    static void write(Path folder, Trainer trainer, Best best, Map<String, String> provenance)
            throws IOException {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        trainer.masters().forEach((param, values) -> {
            AdamW.Moments moments = trainer.optimizer().moments(param);
            tensors.put("master." + param.path(), Tensor.of(values, values.length));
            tensors.put("first." + param.path(), Tensor.of(moments.first(), values.length));
            tensors.put("second." + param.path(), Tensor.of(moments.second(), values.length));
        });
        trainer.average().ifPresent(mean -> mean.means().forEach(
                (param, values) -> tensors.put("mean." + param.path(), Tensor.of(values, values.length))));
        trainer.carried().ifPresent(memories -> memories.forEach(
                (name, values) -> tensors.put(name, Tensor.of(values, values.length))));
        Map<String, String> metadata = new LinkedHashMap<>(provenance);
        metadata.put("step", String.valueOf(trainer.steps()));
        metadata.put("best_loss", String.valueOf(best.loss()));
        metadata.put("validations_since_best", String.valueOf(best.since()));
        metadata.put("options", JSON.writeValueAsString(trainer.options()));
        write(folder, tensors, metadata);
    }

    static void write(Path folder, SequencedMap<String, Tensor> tensors, Map<String, String> metadata)
            throws IOException {
        Safetensors.write(folder.resolve(FOLDER).resolve(FILE), tensors, metadata);
    }

    static TrainingState read(Path folder) throws IOException {
        Path path = folder.resolve(FOLDER).resolve(FILE);
        if (!Files.exists(path)) {
            throw new IOException(folder + ": there is no run to go on with; " + FOLDER + "/" + FILE + " is missing");
        }
        Safetensors file = Safetensors.read(path);
        Map<String, String> metadata = file.metadata();
        try {
            return new TrainingState(file, options(metadata.getOrDefault("options", "")),
                    Long.parseLong(metadata.getOrDefault("step", "")),
                    new Best(Double.parseDouble(metadata.getOrDefault("best_loss", "")),
                            Integer.parseInt(metadata.getOrDefault("validations_since_best", "0"))))
                    .checked();
        } catch (IllegalArgumentException | JsonProcessingException e) {
            throw new CheckpointException(path, "metadata must hold step, best_loss and options: " + e.getMessage(), e);
        }
    }

    private TrainingState checked() {
        if (step < 0 || step > options.steps()) {
            throw new IllegalArgumentException("step must be 0 to " + options.steps() + ", got " + step);
        }
        if (Double.isNaN(best.loss())) {
            throw new IllegalArgumentException("best_loss must be a number, got NaN");
        }
        return this;
    }

    private static TrainingOptions options(String json) throws IOException {
        ObjectNode values = JSON.valueToTree(TrainingOptions.of(1));
        JsonNode written = JSON.readTree(json);
        if (!written.isObject()) {
            throw new IllegalArgumentException("options must be a JSON object, got " + written.getNodeType());
        }
        // Runs that are older than an option go on as they began, without it.
        if (written.hasNonNull("batch") && !written.has("microBatch")) {
            values.set("microBatch", written.get("batch"));
        }
        if (written.hasNonNull("seed") && !written.has("orderSeed")) {
            values.set("orderSeed", written.get("seed"));
        }
        written.properties().forEach(entry -> values.set(entry.getKey(), entry.getValue()));
        // Computed properties of the record are written as well and not wanted back.
        return JSON.readerFor(TrainingOptions.class)
                .without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).readValue(values);
    }

    void checkTexts(Path folder, TrainingRun.Texts texts) throws CheckpointException {
        check(folder, "training", texts.training());
        check(folder, "validation", texts.validation());
        String format = file.metadata().getOrDefault("text_format", TextFormat.PLAIN.name());
        if (!texts.format().name().equals(format)) {
            throw new CheckpointException(folder,
                    "this run began with texts in format " + format + ", got " + texts.format());
        }
    }

    private void check(Path folder, String name, String text) throws CheckpointException {
        String began = file.metadata().get(name + "_text_sha256");
        if (!digest(text).equals(began)) {
            throw new CheckpointException(folder,
                    "this run began with another " + name + " text (SHA-256 " + began + ", now "
                            + digest(text) + "); give the same text, or begin a new run");
        }
    }

    Weights masters(BitLlama model) throws IOException {
        SequencedMap<Param, float[]> masters = new LinkedHashMap<>();
        for (Param param : model.params()) {
            masters.put(param, floats("master." + param.path(), param));
        }
        return Weights.of(masters);
    }

    private float[] floats(String name, Param param) throws CheckpointException {
        return floats(name, new float[param.length()]);
    }

    private float[] floats(String name, float[] into) throws CheckpointException {
        float[] values = file.floats(name, List.of(into.length), Float.MAX_VALUE);
        System.arraycopy(values, 0, into, 0, into.length);
        return into;
    }

    /** Puts moments, means, carried memories and position back; the masters are there already. */
    void restore(Trainer trainer) throws IOException {
        Map<String, float[]> parts = new LinkedHashMap<>();
        for (Param param : trainer.model().params()) {
            AdamW.Moments moments = trainer.optimizer().moments(param);
            parts.put("first." + param.path(), moments.first());
            parts.put("second." + param.path(), moments.second());
            trainer.average().ifPresent(mean -> parts.put("mean." + param.path(), mean.means().get(param)));
        }
        trainer.carried().ifPresent(memories -> memories.forEach(parts::put));
        for (Map.Entry<String, float[]> part : parts.entrySet()) {
            floats(part.getKey(), part.getValue());
        }
        trainer.resumeAt(step);
    }
}
