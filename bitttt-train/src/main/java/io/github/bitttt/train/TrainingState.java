package io.github.bitttt.train;

import com.fasterxml.jackson.core.JsonProcessingException;
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
record TrainingState(Safetensors file, TrainingOptions options, long step, Best best, boolean validationDue) {
    static final String FOLDER = "training";
    private static final String FILE = "state.safetensors";
    private static final String FORMAT = "text_format";
    private static final String VALIDATION_DUE = "validation_due";

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

    static void write(Path folder, Trainer trainer, Best best, boolean validationDue, Map<String, String> provenance)
            throws IOException {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        trainer.state((name, values) -> tensors.put(name, Tensor.of(values, values.length)));
        Map<String, String> metadata = new LinkedHashMap<>(provenance);
        metadata.put("step", String.valueOf(trainer.steps()));
        metadata.put("best_loss", String.valueOf(best.loss()));
        metadata.put("validations_since_best", String.valueOf(best.since()));
        metadata.put("options", OptionsJson.write(trainer.options()));
        if (validationDue) {
            metadata.put(VALIDATION_DUE, "true");
        }
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
            return new TrainingState(file, OptionsJson.read(metadata.getOrDefault("options", "")),
                    Long.parseLong(metadata.getOrDefault("step", "")),
                    new Best(Double.parseDouble(metadata.getOrDefault("best_loss", "")),
                            Integer.parseInt(metadata.getOrDefault("validations_since_best", "0"))),
                    metadata.containsKey(VALIDATION_DUE))
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

    /** Refuses data that are not those of the run. */
    void check(Path folder, SequencedMap<String, String> identity) throws CheckpointException {
        for (Map.Entry<String, String> now : identity.entrySet()) {
            String name = now.getKey();
            String began = file.metadata().getOrDefault(name, name.equals(FORMAT) ? TextFormat.PLAIN.name() : "none");
            if (now.getValue().equals(began)) {
                continue;
            }
            if (name.equals(FORMAT)) {
                throw new CheckpointException(folder,
                        "this run began with texts in format " + began + ", got " + now.getValue());
            }
            String what = name.replace("_sha256", "").replace('_', ' ');
            throw new CheckpointException(folder,
                    "this run began with another " + what + " (" + (name.endsWith("_sha256") ? "SHA-256 " : "") + began
                            + ", now " + now.getValue() + "); give the same, or begin a new run");
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
        trainer.state(parts::put);
        for (Map.Entry<String, float[]> part : parts.entrySet()) {
            floats(part.getKey(), part.getValue());
        }
        trainer.resumeAt(step);
    }
}
