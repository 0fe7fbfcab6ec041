package io.github.bitttt.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine.Command;
import picocli.CommandLine;

/** The command line: {@code ./bitttt PROGRAM [OPTIONS]}. */
@Command(name = "bitttt", mixinStandardHelpOptions = true, version = "bitttt 0.1.0", description = "Ternary language models that go on learning while they read.", subcommands = {
        Generate.class, Train.class, Evaluate.class, MemoryProgram.class, Logits.class, Inspect.class, Bench.class,
        Pack.class, Import.class, Serve.class, Notebook.class, OnlineLearning.class, Pipeline.class,
        CommandLine.HelpCommand.class})
public final class Main {
    /** Bad options. */
    static final int USAGE = 2;
    /** The work failed. */
    static final int FAILED = 1;

    private Main() {
    }

    /** Runs a program and ends the process with its exit code: 0, 1 for a failure, 2 for wrong options.
     *
     * @param arguments the program's name and its options */
    public static void main(String[] arguments) {
        System.exit(commandLine().execute(arguments));
    }

    /** The programs, with errors as one line.
     *  @return ready to execute */
    static CommandLine commandLine() {
        return new CommandLine(new Main()).setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler((exception, commandLine, _) -> {
                    commandLine.getErr().println("bitttt: " + message(exception));
                    commandLine.getErr().flush();
                    return exception instanceof IllegalArgumentException ? USAGE : FAILED;
                });
    }

    private static String message(Exception exception) throws Exception {
        return switch (exception) {
            case IOException e -> e.getMessage() == null ? e.toString() : describe(e);
            case IllegalArgumentException e -> e.getMessage();
            case IllegalStateException e -> e.getMessage();
            // A fault of ours: the trace is worth seeing.
            default -> throw exception;
        };
    }

    private static String describe(IOException e) {
        return switch (e) {
            case NoSuchFileException missing -> missing.getFile() + ": no such file";
            case AccessDeniedException denied -> denied.getFile() + ": access denied";
            case FileAlreadyExistsException there -> there.getFile() + ": exists already";
            default -> e.getMessage();
        };
    }
}
