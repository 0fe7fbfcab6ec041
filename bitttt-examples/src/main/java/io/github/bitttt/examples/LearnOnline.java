package io.github.bitttt.examples;

import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.OutputGain;
import io.github.bitttt.llama.generate.Session;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Learns from lines as they come, in a form that the model was never trained on. The model itself stays as it is. */
public final class LearnOnline {
    private LearnOnline() {
    }

    /** Reads a file of lines, and tells how much the frozen model and the memory at its output are surprised.
     *
     * @param arguments the file
     * @throws IOException if it cannot be read */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length != 1) {
            throw new IllegalArgumentException("one argument is needed, a file of lines, got " + arguments.length);
        }
        try (
                Model model = Model.load("stories-256x4");
                Session session = model.newSession(OutputMemory.standard());
                BufferedReader lines = Files.newBufferedReader(Path.of(arguments[0]))) {
            OutputGain before = session.outputGain().orElseThrow();
            long number = 0;
            for (String line; (line = lines.readLine()) != null;) {
                session.learn(line + "\n");
                number++;
                if (Long.bitCount(number) == 1) { // after 1, 2, 4, 8 ... lines
                    OutputGain now = session.outputGain().orElseThrow();
                    long tokens = now.tokens() - before.tokens();
                    System.out.printf(Locale.ROOT, "to line %,d: %.2f nats per token frozen, %.2f learning%n", number,
                            (now.frozenNats() - before.frozenNats()) / tokens, (now.nats() - before.nats()) / tokens);
                    before = now;
                }
            }
        }
    }
}
