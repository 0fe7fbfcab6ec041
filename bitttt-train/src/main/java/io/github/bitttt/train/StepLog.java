package io.github.bitttt.train;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.io.AtomicFile;
import java.io.BufferedWriter;
import java.io.FileWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A run's logs: every step as a line of {@code training/steps.csv}, and every step and validation as a line of
 * {@code training/log.jsonl}.
 */
final class StepLog implements AutoCloseable {
    private static final String HEADER = "step,tokens,loss_nats,gradient_norm,learning_rate,tokens_per_second";
    private static final Pattern ROW = Pattern.compile("(\\d+),.*");
    // A line of the log begins with its step, and is whole if it ends with a brace.
    private static final Pattern ENTRY = Pattern.compile("\\{\"step\":(\\d+),.*}");
    private static final ObjectMapper JSON = new ObjectMapper();

    private final BufferedWriter rows;
    private final BufferedWriter entries;
    private final String label;

    StepLog(Path folder, String label) throws IOException {
        this.label = label;
        boolean fresh = !Files.exists(csv(folder));
        rows = append(csv(folder));
        entries = append(jsonLines(folder));
        if (fresh) {
            rows.write(HEADER + "\n");
        }
    }

    /** Not by a channel, which an interrupt of the thread would close. */
    private static BufferedWriter append(Path file) throws IOException {
        return new BufferedWriter(new FileWriter(file.toFile(), StandardCharsets.UTF_8, true));
    }

    private static Path csv(Path folder) {
        return folder.resolve(TrainingState.FOLDER).resolve("steps.csv");
    }

    private static Path jsonLines(Path folder) {
        return folder.resolve(TrainingState.FOLDER).resolve("log.jsonl");
    }

    /** Drops what a killed run logged after its last checkpoint: those steps will be made again. */
    static void cut(Path folder, long lastStep) throws IOException {
        keep(csv(folder), line -> line.equals(HEADER) || upTo(lastStep, ROW.matcher(line)));
        keep(jsonLines(folder), line -> upTo(lastStep, ENTRY.matcher(line)));
    }

    private static void keep(Path file, Predicate<String> wanted) throws IOException {
        if (Files.exists(file)) {
            List<String> kept = Files.readAllLines(file).stream().filter(wanted).map(line -> line + "\n").toList();
            AtomicFile.write(file, String.join("", kept));
        }
    }

    private static boolean upTo(long lastStep, Matcher line) {
        return line.matches() && Long.parseLong(line.group(1)) <= lastStep;
    }

    void step(StepResult result) throws IOException {
        rows.write(
                String.format(Locale.ROOT, "%d,%d,%.6f,%.6f,%.6e,%.0f\n", result.step(), result.tokens(), result.loss(),
                        result.gradientNorm(), result.rate(), result.tokensPerSecond()));
        write(entry(result.step()).put("tokens", result.tokens()).put("loss_nats", result.loss())
                .put("gradient_norm", result.gradientNorm()).put("learning_rate", result.rate())
                .put("tokens_per_second", Math.rint(result.tokensPerSecond())));
    }

    void validation(long step, double loss, boolean best) throws IOException {
        write(entry(step).put("validation_nats", loss).put("best", best));
    }

    private ObjectNode entry(long step) {
        ObjectNode entry = JSON.createObjectNode().put("step", step);
        return label.isEmpty() ? entry : entry.put("label", label);
    }

    private void write(ObjectNode entry) throws IOException {
        entries.write(JSON.writeValueAsString(entry) + "\n");
    }

    void flush() throws IOException {
        rows.flush();
        entries.flush();
    }

    @Override
    public void close() throws IOException {
        rows.close();
        entries.close();
    }
}
