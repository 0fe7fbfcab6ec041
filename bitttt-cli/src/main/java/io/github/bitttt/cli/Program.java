package io.github.bitttt.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.io.AtomicFile;
import io.github.bitttt.llama.text.Excerpt;
import io.github.bitttt.viz.Picture;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** What every program shares: with {@code --json}, exactly one object on standard output and all else on standard error. */
final class Program {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--json", description = "Print one JSON object to standard output, all else to standard error.")
    private boolean json;

    boolean json() {
        return json;
    }

    /** Standard output: the result. */
    PrintWriter out() {
        return spec.commandLine().getOut();
    }

    /** Where people read: standard error when a program reads standard output. */
    PrintWriter messages() {
        return json ? spec.commandLine().getErr() : spec.commandLine().getOut();
    }

    /** Prints the JSON object if it was asked for. */
    void result(Map<String, ?> object) throws IOException {
        if (json) {
            out().println(new ObjectMapper().writeValueAsString(object));
        }
        out().flush();
        messages().flush();
        checkRead();
    }

    /** Prints a piece of a story, at once; what would move the cursor is shown as pictures. */
    void say(String piece) {
        messages().print(Excerpt.forTerminal(piece));
        try {
            checkRead();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What can be known before the work: where its memory and its picture are to be written. Null for none. */
    static void checkTargets(Path memory, Path picture) throws IOException {
        if (memory != null) {
            AtomicFile.check(memory);
        }
        if (picture != null) {
            Picture.check(picture);
        }
    }

    /** Ends work whose results nobody gets: standard output is full or closed, or who read it has gone. */
    void checkRead() throws IOException {
        if (messages().checkError() || out().checkError()) {
            throw new LostOutputException();
        }
    }
}
