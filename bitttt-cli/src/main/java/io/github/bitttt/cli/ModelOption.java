package io.github.bitttt.cli;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.IOException;
import picocli.CommandLine.Option;

/** The option {@code --model}: a folder or a name of the zoo. */
final class ModelOption {
    @Option(names = "--model", defaultValue = Zoo.DEFAULT, paramLabel = "MODEL", description = "A model folder, or a name of the zoo (default: ${DEFAULT-VALUE}). Masters are packed on the fly.")
    private String name;

    String name() {
        return name;
    }

    /** The model, ready to run; the process is its owner. */
    Model load() throws IOException {
        return Model.load(name);
    }
}
