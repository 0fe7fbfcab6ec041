package io.github.bitttt.llama.zoo;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** Texts that ship with the examples, for programs and notebooks. */
public final class Samples {
    private Samples() {
    }

    /** 300 kB of TinyStories, {@code <|endoftext|>} between stories.
     *
     * @return the text
     * @throws IOException if it cannot be read */
    public static String tinyStories() throws IOException {
        return read("tinystories-sample.txt");
    }

    /** A story to remember.
     *
     * @return the text
     * @throws IOException if it cannot be read */
    public static String story() throws IOException {
        return read("memory-text.txt");
    }

    /** Another story of about the same length.
     *
     * @return the text
     * @throws IOException if it cannot be read */
    public static String otherStory() throws IOException {
        return read("memory-other.txt");
    }

    private static String read(String resource) throws IOException {
        try (InputStream in = Samples.class.getResourceAsStream(resource)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
