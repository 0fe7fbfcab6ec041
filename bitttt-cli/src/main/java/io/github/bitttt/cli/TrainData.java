package io.github.bitttt.cli;

import io.github.bitttt.llama.zoo.Samples;
import io.github.bitttt.train.TextFormat;
import io.github.bitttt.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Option;

/** What {@code train} learns from. */
final class TrainData {
    @Option(names = "--data", paramLabel = "FILE", description = "Training text, <|endoftext|> between documents; or a .jsonl file of lines with a text, or a prompt, which is not learned, and a completion (default: a sample of TinyStories that ships).")
    private Path data;
    @Option(names = "--validation", paramLabel = "FILE", description = "Text that chooses the best model (default: the last tenth of the training text).")
    private Path validation;

    /** The texts; a run that began without validation goes on without. */
    TrainingRun.Texts texts(boolean without) throws IOException {
        String training = data == null ? Samples.tinyStories() : Files.readString(data);
        if (training.isBlank()) {
            throw new IllegalArgumentException((data == null ? "the sample" : data) + ": the training text is empty");
        }
        TextFormat format = data == null ? TextFormat.PLAIN : format(data);
        if (validation == null) {
            return without
                    ? new TrainingRun.Texts(training, "", format)
                    : TrainingRun.Texts.lastTenth(training, format);
        }
        String measured = Files.readString(validation);
        if (measured.isBlank()) {
            throw new IllegalArgumentException(validation + ": the validation text is empty");
        }
        if (format(validation) != format) {
            throw new IllegalArgumentException(
                    validation + ": must be " + (format == TextFormat.PLAIN ? "plain text" : "JSON lines")
                            + ", as the training text is");
        }
        return new TrainingRun.Texts(training, measured, format);
    }

    static TextFormat format(Path file) {
        String name = file.toString().toLowerCase(Locale.ROOT);
        return name.endsWith(".jsonl") || name.endsWith(".ndjson") ? TextFormat.JSON_LINES : TextFormat.PLAIN;
    }
}
