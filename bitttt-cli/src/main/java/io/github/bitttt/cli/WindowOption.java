package io.github.bitttt.cli;

import io.github.bitttt.llama.generate.Model;
import picocli.CommandLine.Option;

/** The option {@code --window}: attention that keeps so many tokens. */
final class WindowOption {
    @Option(names = "--window", paramLabel = "N", description = "Of a model with attention: keep the first four tokens and the last N, or up to 63 more, and read for ever (default: all tokens, to the model's context).")
    private Integer tokens;

    /** The model with that window, if it was asked for. */
    Model of(Model model) {
        return tokens == null ? model : model.withWindow(tokens);
    }
}
