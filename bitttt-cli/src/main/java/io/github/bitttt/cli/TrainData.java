package io.github.bitttt.cli;

import io.github.bitttt.llama.zoo.Samples;
import io.github.bitttt.train.TextFormat;
import io.github.bitttt.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** What {@code train} learns from. */
final class TrainData {
    @Option(names = "--data", paramLabel = "FILE", description = "Training text, <|endoftext|> between documents; or a .jsonl or .ndjson file of lines with a text, or a prompt, which is not learned, and a completion (default: a sample of TinyStories that ships).")
    private Path data;
    @Option(names = "--validation", paramLabel = "FILE", description = "Text that chooses the best model (default: the last tenth of the training text).")
    private Path validation;

    /** The texts; a run that began without validation goes on without. */
    TrainingRun.Texts texts(boolean without) throws IOException {
        TextFormat format = data == null ? TextFormat.PLAIN : TextFormat.of(data);
        String training = data == null ? Samples.tinyStories() : format.read(data);
        if (training.isBlank()) {
            throw new IllegalArgumentException((data == null ? "the sample" : data) + ": the training text is empty");
        }
        if (validation == null) {
            return without
                    ? new TrainingRun.Texts(training, "", format)
                    : TrainingRun.Texts.lastTenth(training, format);
        }
        if (TextFormat.of(validation) != format) {
            throw new IllegalArgumentException(
                    validation + ": must be " + (format == TextFormat.PLAIN ? "plain text" : "JSON lines")
                            + ", as the training text is");
        }
        String measured = format.read(validation);
        if (measured.isBlank()) {
            throw new IllegalArgumentException(validation + ": the validation text is empty");
        }
        return new TrainingRun.Texts(training, measured, format);
    }
}
