package io.github.bitttt.spark;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.io.CheckpointException;
import io.github.bitttt.llama.io.Safetensors;
import io.github.bitttt.train.ClusterTraining;
import io.github.bitttt.train.WindowOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Run folders from before Spark's runs and one process's had the same state: the arrays are the same, their file was another. */
final class EarlierSparkRun {
    private static final String EARLIER = "training/spark.safetensors";
    private static final String STATE = "training/state.safetensors";
    private static final ObjectMapper JSON = new ObjectMapper();

    private EarlierSparkRun() {
    }

    /** Whether the folder's run was begun by such a release: its data are windows of {@link SparkText}. */
    static boolean isIn(Path folder) {
        return Files.exists(folder.resolve(EARLIER));
    }

    /** Which windows its data are. */
    static WindowOptions options(Path folder) throws IOException {
        JsonNode training = JSON
                .readTree(Safetensors.read(folder.resolve(EARLIER)).metadata().getOrDefault("options", ""))
                .path("training");
        return WindowOptions.DEFAULT.withBatch(training.path("batch").asInt(), training.path("window").asInt())
                .withOrderSeed(training.path("orderSeed").asLong());
    }

    /** Writes the state of such a run as it is written today, unless that was done before. */
    static void bringUpToDate(Path folder) throws IOException {
        Path earlier = folder.resolve(EARLIER);
        if (Files.exists(folder.resolve(STATE)) || !Files.exists(earlier)) {
            return;
        }
        Safetensors file = Safetensors.read(earlier);
        Map<String, String> metadata = new LinkedHashMap<>(file.metadata());
        if (!(JSON.readTree(metadata.getOrDefault("options", "")) instanceof ObjectNode cluster
                && cluster.remove("training") instanceof ObjectNode training)) {
            throw new CheckpointException(earlier, "metadata must hold the run's options");
        }
        // Checkpoints were counted in rounds.
        training.put("checkpointEvery",
                cluster.path("checkpointEvery").asLong(1) * cluster.path("localSteps").asLong(1));
        metadata.put("options", training.toString());
        metadata.put(ClusterTraining.DESCRIPTION, cluster.toString());
        metadata.put("best_loss", String.valueOf(Double.POSITIVE_INFINITY));
        Safetensors.write(folder.resolve(STATE), new LinkedHashMap<>(file.tensors()), metadata);
    }
}
