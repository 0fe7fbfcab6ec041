package io.github.bitttt.examples;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import java.io.IOException;

/** The lines of the README: load the model of the jar and go on with a story. */
public final class QuickStart {
    private QuickStart() {
    }

    /** Tells a story to standard output.
     *
     * @param arguments none
     * @throws IOException if the model cannot be read */
    public static void main(String[] arguments) throws IOException {
        try (Model model = Model.load("stories-256x4"); Session session = model.newSession()) {
            session.generate("Once upon a time").forEach(System.out::print);
        }
    }
}
