package io.github.bitttt.spark;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.CheckpointException;
import io.github.bitttt.llama.io.Safetensors;
import io.github.bitttt.llama.io.Tensor;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;

/**
 * A Spark training run in a folder of the driver's: the model so far, and the state to go on from.
 *
 * <p>The folder is a model folder at any moment; beside the model stands {@code training/spark.safetensors}. A run that is killed
 * goes on from its last checkpoint, and then equals an uninterrupted one bit for bit on the same number of workers.
 */
public final class SparkTrainingRun implements AutoCloseable {
    private static final String STATE = "training/spark.safetensors";
    private static final String MASTER = "master.";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;
    private final Checkpoint first;
    private final SparkTrainer trainer;
    private final String windows;

    private SparkTrainingRun(Path folder, Checkpoint first, SparkTrainer trainer, String windows) {
        this.folder = folder;
        this.first = first;
        this.trainer = trainer;
        this.windows = windows;
    }

    /** Begins a run in a new folder.
     *
     * @param folder    which must not exist
     * @param from      config, and masters to begin with
     * @param tokenizer of the same vocabulary
     * @param windows   of {@link SparkText}
     * @param options   how to train
     * @return the run, before its first round
     * @throws IOException if the folder exists or cannot be written */
    public static SparkTrainingRun start(Path folder, Checkpoint from, Tokenizer tokenizer, Dataset<Row> windows,
            SparkTrainingOptions options) throws IOException {
        if (Files.exists(folder)) {
            throw new IOException(folder + ": exists already; choose another folder or remove it first");
        }
        String digest = digest(windows);
        SparkTrainer trainer = new SparkTrainer(from, windows, options);
        try {
            from.save(folder, tokenizer.json());
            Files.createDirectories(folder.resolve(STATE).getParent());
            SparkTrainingRun run = new SparkTrainingRun(folder, from, trainer, digest);
            run.checkpoint();
            return run;
        } catch (IOException | RuntimeException e) {
            trainer.close();
            throw e;
        }
    }

    /** Goes on with a run from its last checkpoint, by the options that it began with.
     *
     * @param folder  of the run
     * @param windows the same as when it began
     * @return the run, as it was then
     * @throws IOException if there is no run in the folder, or it was begun with other windows */
    public static SparkTrainingRun resume(Path folder, Dataset<Row> windows) throws IOException {
        Path file = folder.resolve(STATE);
        Safetensors state = read(folder);
        String began = state.metadata().getOrDefault("windows", "none");
        String digest = digest(windows);
        if (!digest.equals(began)) {
            throw new CheckpointException(file, "this run began with other windows (" + began + ", now " + digest
                    + "); give the same text, tokenizer, window and seed, or begin a new run");
        }
        Checkpoint model = Checkpoint.load(folder);
        SequencedMap<Param, float[]> masters = new LinkedHashMap<>();
        for (Param param : model.weights().params()) {
            masters.put(param, state.get(MASTER + param.path()).floats());
        }
        Checkpoint from = new Checkpoint(model.config(), Weights.of(masters), model.configText(), model.metadata());
        SparkTrainer trainer = new SparkTrainer(from, windows, options(folder));
        SequencedMap<String, float[]> arrays = new LinkedHashMap<>();
        trainer.state(arrays);
        for (Map.Entry<String, float[]> entry : arrays.entrySet()) {
            float[] values = state.get(entry.getKey()).floats();
            System.arraycopy(values, 0, entry.getValue(), 0, entry.getValue().length);
        }
        trainer.resumeAt(Long.parseLong(state.metadata().get("step")));
        return new SparkTrainingRun(folder, from, trainer, digest);
    }

    private static Safetensors read(Path folder) throws IOException {
        Path file = folder.resolve(STATE);
        if (!Files.exists(file)) {
            throw new IOException(folder + ": there is no Spark run to go on with; " + STATE + " is missing");
        }
        return Safetensors.read(file);
    }

    /** The options that a run began with.
     *
     * @param folder of the run
     * @return how it is trained
     * @throws IOException if there is no run in the folder */
    public static SparkTrainingOptions options(Path folder) throws IOException {
        try {
            // Computed properties of the records are written as well and not wanted back.
            return JSON.readerFor(SparkTrainingOptions.class).without(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .readValue(read(folder).metadata().getOrDefault("options", ""));
        } catch (JsonProcessingException e) {
            throw new CheckpointException(folder.resolve(STATE),
                    "metadata must hold the run's options: " + e.getOriginalMessage(), e);
        }
    }

    /** What the windows are, whatever their partitions. */
    private static String digest(Dataset<Row> windows) {
        Row row = windows.agg(functions.count("*"),
                functions.bit_xor(functions.xxhash64(functions.col("position"), functions.col("ids")))).first();
        return row.getLong(0) + " windows, hash " + (row.isNullAt(1) ? "none" : Long.toHexString(row.getLong(1)));
    }

    /** Trains until the budget is spent, with a checkpoint every so many rounds.
     *
     * @param listener hears each round
     * @throws IOException if a checkpoint cannot be written */
    public void run(Consumer<RoundResult> listener) throws IOException {
        while (!trainer.done()) {
            RoundResult result = trainer.round();
            listener.accept(result);
            if (result.round() % trainer.options().checkpointEvery() == 0 || trainer.done()) {
                checkpoint();
            }
        }
    }

    private void checkpoint() throws IOException {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        Weights weights = trainer.weights();
        weights.params().forEach(param -> put(tensors, MASTER + param.path(), weights.floats(param)));
        SequencedMap<String, float[]> arrays = new LinkedHashMap<>();
        trainer.state(arrays);
        arrays.forEach((name, values) -> put(tensors, name, values));
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put("step", String.valueOf(trainer.steps()));
        metadata.put("options", JSON.writeValueAsString(trainer.options()));
        metadata.put("windows", windows);
        Safetensors.write(folder.resolve(STATE), tensors, metadata);
        Map<String, String> provenance = new LinkedHashMap<>(first.metadata());
        provenance.put("step", String.valueOf(trainer.steps()));
        provenance.put("spark_options", trainer.options().toString());
        provenance.put("windows", windows);
        new Checkpoint(first.config(), weights, first.configText(), provenance).saveWeights(folder);
    }

    private static void put(SequencedMap<String, Tensor> tensors, String name, float[] values) {
        tensors.put(name, Tensor.of(values, values.length));
    }

    /** The trainer, for its state.
     *  @return of this run */
    public SparkTrainer trainer() {
        return trainer;
    }

    @Override
    public void close() {
        trainer.close();
    }

    @Override
    public String toString() {
        return "SparkTrainingRun[" + folder + ", " + trainer + "]";
    }
}
