package io.github.bitttt.examples;

import io.github.bitttt.llama.generate.Generator;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Sampler;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.IOException;

/** The lines of the README: load the model of the jar, tell a story, look at what was learned on the way. */
public final class QuickStart {
    private QuickStart() {
    }

    /** Tells a story to standard output.
     *
     * @param arguments none
     * @throws IOException if the model cannot be read */
    public static void main(String[] arguments) throws IOException {
        Zoo.Entry entry = Zoo.load(Zoo.DEFAULT);
        Model model = Model.of(entry.checkpoint(), entry.tokenizer());
        try (Session session = model.newSession()) {
            Generator generator = new Generator(session, Sampler.of(0.8, 7));
            System.out.print("Once upon a time");
            generator.generate("Once upon a time", 200, System.out::print);
            System.out.println(session);
        }
    }
}
