package io.github.bitttt.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
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
    }
}
