package io.github.bitttt.llama.hub;

import java.io.InterruptedIOException;
import java.time.Duration;
import java.time.InstantSource;

/** How a pull waits, so that tests need not. */
interface Pauses {
    /** Says why, and waits. */
    void pause(String why, Duration wait) throws InterruptedIOException;

    /** How long to wait after so many failures where nobody says: 1, 2, 4, 8 seconds. */
    default Duration after(int failures) {
        return Duration.ofSeconds(1L << failures - 1);
    }

    /** The time. */
    default InstantSource clock() {
        return InstantSource.system();
    }

    /** A connection from which so long nothing comes is taken for broken. */
    default Duration longestSilence() {
        return Duration.ofSeconds(60);
    }

    /** Real waits, told to a listener. */
    static Pauses of(Pull.Progress progress) {
        return (why, wait) -> {
            if (!why.isEmpty()) {
                progress.says(why + "; again in " + wait.toSeconds() + " s");
            }
            try {
                Thread.sleep(wait);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while waiting");
            }
        };
    }
}
