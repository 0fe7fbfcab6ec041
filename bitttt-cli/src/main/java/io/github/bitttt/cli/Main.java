package io.github.bitttt.cli;

import java.io.BufferedWriter;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.util.Arrays;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine;

/** The command line: {@code ./bitttt PROGRAM [OPTIONS]}. */
@Command(name = "bitttt", mixinStandardHelpOptions = true, version = "bitttt 0.1.0", description = "Ternary language models that go on learning while they read.", subcommands = {
        Generate.class, Chat.class, Train.class, Evaluate.class, MemoryProgram.class, Logits.class, Inspect.class,
        Bench.class,
        Pack.class, Import.class, PullProgram.class, Serve.class, Notebook.class, OnlineLearning.class, Watch.class,
        Pipeline.class,
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
        // What is printed does not depend on where its user lives: no decimal commas, no other digits.
        Locale.setDefault(Locale.ROOT);
        System.exit(wereLost(arguments) ? USAGE : commandLine().setOut(standardOutput()).execute(arguments));
    }

    /** Not System.out: it keeps to itself that what was printed did not arrive. */
    private static PrintWriter standardOutput() {
        return new PrintWriter(new BufferedWriter(
                new OutputStreamWriter(new FileOutputStream(FileDescriptor.out), System.out.charset())), true);
    }

    /** Whether Java could not read an argument, which it does by the locale alone: every byte beyond ASCII is U+FFFD then. */
    private static boolean wereLost(String[] arguments) {
        String encoding = System.getProperty("sun.jnu.encoding", "UTF-8");
        boolean lost = !encoding.equals("UTF-8")
                && Arrays.stream(arguments).anyMatch(argument -> argument.indexOf('\uFFFD') >= 0);
        if (lost) {
            System.err.println("bitttt: an argument has letters that the locale's encoding " + encoding
                    + " has not; start Java with LC_ALL=C.UTF-8, as ./bitttt does");
        }
        return lost;
    }

    /** The programs, with errors as one line.
     *  @return ready to execute */
    static CommandLine commandLine() {
        return new CommandLine(new Main()).setCaseInsensitiveEnumValuesAllowed(true).setExpandAtFiles(false)
                .setExecutionExceptionHandler((exception, commandLine, _) -> {
                    String message = Failures.message(exception).orElseThrow(() -> exception);
                    return say(commandLine, message, Failures.isUsage(exception) ? USAGE : FAILED);
                }).setExecutionStrategy(Main::run);
    }

    /** Runs the program that was named: errors of the JVM that its user has caused are one line, and output that is lost is a failure. */
    private static int run(CommandLine.ParseResult parsed) {
        CommandLine program = parsed.asCommandLineList().getLast();
        try {
            int code = new CommandLine.RunLast().execute(parsed);
            return code == 0 && program.getOut().checkError()
                    ? say(program, LostOutputException.MESSAGE, FAILED)
                    : code;
        } catch (Error e) {
            return say(program, Failures.message(e).orElseThrow(() -> e), FAILED);
        }
    }

    private static int say(CommandLine program, String message, int code) {
        program.getErr().println("bitttt: " + message);
        program.getErr().flush();
        return code;
    }
}
