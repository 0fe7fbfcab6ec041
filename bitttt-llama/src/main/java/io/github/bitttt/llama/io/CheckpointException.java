package io.github.bitttt.llama.io;

import java.io.IOException;
import java.nio.file.Path;

/** A file says something wrong: damaged, of another model, or not what its name promises. */
public final class CheckpointException extends IOException {
    private static final long serialVersionUID = 1;

    /** What is wrong with a file.
     *
     * @param file    which
     * @param message expected and found */
    public CheckpointException(Path file, String message) {
        super(file + ": " + message);
    }

    /** What is wrong with a file, and what noticed it.
     *
     * @param file    which
     * @param message expected and found
     * @param cause   the parser's own words */
    public CheckpointException(Path file, String message, Throwable cause) {
        super(file + ": " + message, cause);
    }
}
