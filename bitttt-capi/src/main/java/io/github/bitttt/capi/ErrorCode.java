package io.github.bitttt.capi;

/** The error codes of {@code bitttt.h} that Java gives; the others are found before Java is reached. */
enum ErrorCode {
    /** All is well. */
    OK(0),
    /** An argument is out of its range. */
    ARGUMENT(1),
    /** A handle that was freed, was never made, or is of another kind. */
    HANDLE(2),
    /** A file is missing or says something wrong. */
    FILE(3),
    /** The caller's buffer is too small; how much is needed was told. */
    BUFFER(4),
    /** The session is being used by another thread. */
    BUSY(5),
    /** The call makes no sense now. */
    STATE(6),
    /** Somebody cancelled. */
    CANCELLED(7),
    /** What should not happen: no memory, a fault in the library. */
    INTERNAL(99);

    private final int number;

    ErrorCode(int number) {
        this.number = number;
    }

    int number() {
        return number;
    }
}
