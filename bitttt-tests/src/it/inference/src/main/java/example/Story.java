package example;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import java.io.IOException;

/** Goes on with a story, and says in which module the library is. */
public final class Story {
    private Story() {
    }

    public static void main(String[] arguments) throws IOException {
        try (Model model = Model.load("stories-256x4"); Session session = model.newSession()) {
            session.generate("Once upon a time").forEach(System.out::print);
        }
        System.out.println();
        System.out.println(Model.class.getModule());
    }
}
