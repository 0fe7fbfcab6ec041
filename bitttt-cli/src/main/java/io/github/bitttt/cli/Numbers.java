package io.github.bitttt.cli;

/** Ranges of options that no part of the library checks by their names. */
final class Numbers {
    private Numbers() {
    }

    static void require(String option, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(option + " must be "
                    + (most == Long.MAX_VALUE ? "at least " + least : least + " to " + most) + ", got " + value);
        }
    }
}
