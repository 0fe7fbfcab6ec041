package io.github.bitttt.cli;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.nn.BitLinear.Quantization;
import java.io.IOException;
import java.util.List;
import picocli.CommandLine.Option;

/** The option {@code --model}: a folder, a file, a name of the zoo or of the hub's cache. */
final class ModelOption {
    @Option(names = "--model", defaultValue = Zoo.DEFAULT, paramLabel = "MODEL", description = "A model folder, a GGUF file, a name of the zoo, or ORG/NAME, ORG/NAME@REVISION or ORG/NAME:FILE.gguf of Hugging Face's local cache, see pull (default: ${DEFAULT-VALUE}). Masters are packed on the fly.")
    private String name;

    @Option(names = "--activations", paramLabel = "int8|float", description = "How inputs of projections are rounded (default: as the model says). int8 is faster where a model says float.")
    private String activations;

    String name() {
        return name;
    }

    /** The model, ready to run; the process is its owner. */
    Model load() throws IOException {
        return Model.of(entry());
    }

    /** All of its files. */
    Zoo.Entry entry() throws IOException {
        Zoo.Entry entry = Zoo.load(name);
        return entry.with(rounded(entry.checkpoint()));
    }

    /** Its config and weights. */
    Checkpoint checkpoint() throws IOException {
        return rounded(Zoo.checkpoint(name));
    }

    private Checkpoint rounded(Checkpoint checkpoint) {
        if (activations == null) {
            return checkpoint;
        }
        if (!List.of("int8", "float").contains(activations)) {
            throw new IllegalArgumentException("--activations must be int8 or float, got " + activations);
        }
        Quantization of = checkpoint.config().quantization();
        return new Checkpoint(checkpoint.config().withQuantization(
                new Quantization(of.scaleWeights(), activations.equals("int8"))), checkpoint.weights(),
                checkpoint.configText(), checkpoint.metadata());
    }
}
