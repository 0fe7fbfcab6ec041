package io.github.bitttt.cli;

import java.io.IOException;

/** What a program wrote did not arrive: the disk is full, or nobody reads any more. */
final class LostOutputException extends IOException {
    static final String MESSAGE = "standard output cannot be written: it is full or closed, or its reader has gone; the result is lost";

    private static final long serialVersionUID = 1;

    LostOutputException() {
        super(MESSAGE);
    }
}
