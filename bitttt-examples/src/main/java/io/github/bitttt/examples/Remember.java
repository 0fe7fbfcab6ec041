package io.github.bitttt.examples;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.generate.Token;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** What a session has read it remembers. The memory is a small file, which another session goes on with. */
public final class Remember {
    private static final String NOTE = "Zorka is a tiny blue dragon who lives in a teapot. Zorka eats only lemon cake.";

    private Remember() {
    }

    /** Reads a note, saves the memory, and measures the note again in three sessions.
     *
     * @param arguments a text to remember, or none
     * @throws IOException if the memory cannot be written or read */
    public static void main(String[] arguments) throws IOException {
        String note = arguments.length > 0 ? arguments[0] : NOTE;
        Path file = Files.createTempFile("note", ".memory");
        try (Model model = Model.load("stories-256x4")) {
            try (Session reader = model.newSession()) {
                reader.learn(note);
                reader.saveMemory(file);
            }
            try (Session stranger = model.newSession(); Session friend = model.newSession()) {
                friend.loadMemory(file);
                Session copy = friend.fork(); // learns by itself from here on
                copy.learn(note);
                System.out.printf(Locale.ROOT, "a stranger %.2f, who has read it %.2f, and read it twice %.2f%n",
                        surprise(stranger, note), surprise(friend, note), surprise(copy, note));
                System.out.printf(Locale.ROOT, "the memory: %,d bytes%n", Files.size(file));
                copy.close();
            }
        } finally {
            Files.delete(file);
        }
    }

    /** Mean surprise in nats per token, of all but the first, which nothing predicts. */
    private static double surprise(Session session, String text) {
        return -session.score(text).stream().skip(1).mapToDouble(Token::logProbability).average().orElseThrow();
    }
}
