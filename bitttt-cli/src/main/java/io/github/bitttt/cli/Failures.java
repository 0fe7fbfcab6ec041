package io.github.bitttt.cli;

import io.github.bitttt.llama.text.FileFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/** What is said of a failure: one line for what a user can mend; a fault of ours has none, for its trace is worth seeing. */
final class Failures {
    private Failures() {
    }

    /** The line. */
    static Optional<String> message(Throwable failure) {
        return switch (failure) {
            case IOException e -> Optional.of(FileFailure.message(e));
            case UncheckedIOException e -> message(e.getCause());
            case IllegalArgumentException e when e.getMessage() != null -> Optional.of(e.getMessage());
            case IllegalStateException e when e.getMessage() != null -> Optional.of(e.getMessage());
            case OutOfMemoryError e -> Optional.of(memory(e));
            // A class that could not start says why in its cause, such as an unknown name in -Dbitttt.kernels.
            case ExceptionInInitializerError e when e.getCause() != null -> message(e.getCause());
            case ExecutionException e when e.getCause() != null -> message(e.getCause());
            case CompletionException e when e.getCause() != null -> message(e.getCause());
            case UnsatisfiedLinkError e -> Optional.of("a native library cannot be loaded: " + e.getMessage());
            case StackOverflowError _ -> Optional.of("the input is nested too deeply for the stack of this Java");
            default -> Optional.empty();
        };
    }

    private static String memory(OutOfMemoryError e) {
        return String.format(Locale.ROOT,
                "out of memory (%s): the work does not fit into the %,d MB that this Java may use; give it more, as "
                        + "JAVA_OPTIONS=-Xmx8g, or take a smaller input",
                e.getMessage(), Runtime.getRuntime().maxMemory() >> 20);
    }

    /** Whether it is the options that are wrong, and not what they name. */
    static boolean isUsage(Throwable failure) {
        return failure instanceof IllegalArgumentException;
    }
}
