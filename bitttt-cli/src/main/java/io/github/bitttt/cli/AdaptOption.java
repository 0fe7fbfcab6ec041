package io.github.bitttt.cli;

import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.generate.Model;
import picocli.CommandLine.Option;

/** The option {@code --adapt}: a memory at the output of whatever model is run. */
final class AdaptOption {
    @Option(names = "--adapt", arity = "0..1", fallbackValue = "standard", paramLabel = "standard|counts", description = "Put a memory at the model's output that learns from every token; the model stays as it is. counts: plain counts of what followed what, to compare with.")
    private String name;

    boolean asked() {
        return name != null;
    }

    /** The model with that memory, if it was asked for. */
    Model of(Model model) {
        return asked() ? model.withOutputMemory(OutputMemory.named(name)) : model;
    }

    /** Refuses a wrong name before a model is loaded. */
    void check() {
        if (asked()) {
            OutputMemory.named(name);
        }
    }
}
