package io.github.bitttt.examples;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.train.Masters;
import io.github.bitttt.train.TextFormat;
import io.github.bitttt.train.TrainingListener;
import io.github.bitttt.train.TrainingOptions;
import io.github.bitttt.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;

/** Trains the model that ships further, on a text of one's own. */
public final class FineTune {
    private FineTune() {
    }

    /** Trains, and writes in the new manner.
     *
     * @param arguments the text, a new folder for the model, and how many tokens to train on
     * @throws IOException          if the text cannot be read or the folder cannot be written
     * @throws InterruptedException if the run is interrupted; it can be resumed */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length != 3) {
            throw new IllegalArgumentException(
                    "three arguments are needed, TEXT FOLDER TOKENS, got " + arguments.length);
        }
        Path text = Path.of(arguments[0]);
        Path folder = Path.of(arguments[1]);
        TextFormat format = TextFormat.of(text);
        Zoo.Entry base = Zoo.load("stories-256x4");
        TrainingOptions options = TrainingOptions.of(Long.parseLong(arguments[2])).withBatch(4, 256)
                .withPeakRate(0.001).withIntervals(10, 100);
        try (
                TrainingRun run = TrainingRun.start(folder, Masters.of(base.checkpoint()), base.tokenizer(),
                        TrainingRun.Texts.lastTenth(format.read(text), format), options)) {
            run.run(new TrainingListener() {
                @Override
                public void validation(long step, double loss, boolean best) {
                    System.out.printf(Locale.ROOT, "step %d: %.3f nats per token%n", step, loss);
                }
            });
        }
        try (Model model = Model.load(folder); Session session = model.newSession()) {
            session.generate("Once upon a time").forEach(System.out::print);
            System.out.println();
        }
    }
}
