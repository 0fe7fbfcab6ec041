package io.github.bitttt.llama.train;

import io.github.bitttt.llama.io.AtomicFile;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;

/** Every step of a run as a line of {@code training/steps.csv}. */
final class StepLog implements AutoCloseable {
    private static final String HEADER = "step,tokens,loss_nats,gradient_norm,learning_rate,tokens_per_second";

    private final BufferedWriter writer;

    StepLog(Path folder) throws IOException {
        Path file = file(folder);
        boolean fresh = !Files.exists(file);
        writer = Files.newBufferedWriter(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        if (fresh) {
            writer.write(HEADER + "\n");
        }
    }

    private static Path file(Path folder) {
        return folder.resolve(TrainingState.FOLDER).resolve("steps.csv");
    }

    /** Drops the steps that a killed run made after its last checkpoint: they will be made again. */
    static void cut(Path folder, long lastStep) throws IOException {
        Path file = file(folder);
        if (Files.exists(file)) {
            List<String> kept = Files.readAllLines(file).stream()
                    .filter(line -> line.equals(HEADER) || line.matches("\\d+,.*") && stepOf(line) <= lastStep)
                    .toList();
            AtomicFile.write(file, String.join("\n", kept) + "\n");
        }
    }

    private static long stepOf(String line) {
        return Long.parseLong(line.substring(0, line.indexOf(',')));
    }

    void step(StepResult result) throws IOException {
        writer.write(
                String.format(Locale.ROOT, "%d,%d,%.6f,%.6f,%.6e,%.0f%n", result.step(), result.tokens(), result.loss(),
                        result.gradientNorm(), result.rate(), result.tokensPerSecond()));
    }

    void flush() throws IOException {
        writer.flush();
    }

    @Override
    public void close() throws IOException {
        writer.close();
    }
}
