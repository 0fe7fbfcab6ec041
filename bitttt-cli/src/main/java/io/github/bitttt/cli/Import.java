package io.github.bitttt.cli;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.io.AtomicFile;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.OriginalCheckpoint;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A checkpoint of the original Rust trainer becomes a model folder. */
@Command(name = "import", mixinStandardHelpOptions = true, description = "Import a checkpoint of the original engine.")
final class Import implements Callable<Integer> {
    @Mixin
    private Program program;

    @Option(names = "--original", required = true, paramLabel = "FILE", description = "Its .safetensors file.")
    private Path original;
    @Option(names = "--tokenizer", paramLabel = "FILE", description = "Its tokenizer.json, copied into the folder.")
    private Path tokenizer;
    @Option(names = "--out", required = true, paramLabel = "DIR", description = "A new folder.")
    private Path out;

    @Override
    public Integer call() throws Exception {
        AtomicFile.checkNewFolder(out);
        Optional<Tokenizer> words = tokenizer == null ? Optional.empty() : Optional.of(Tokenizer.load(tokenizer));
        Checkpoint checkpoint = OriginalCheckpoint.convert(original);
        int vocabulary = checkpoint.config().vocabSize();
        if (words.isPresent() && words.get().vocabSize() != vocabulary) {
            throw new IOException(tokenizer + ": has " + words.get().vocabSize() + " tokens, the checkpoint "
                    + vocabulary + "; give the tokenizer that it was trained with");
        }
        checkpoint.save(out, words.map(Tokenizer::json).orElse(""));
        program.messages().println(out + ": " + new BitLlama(checkpoint.config()));
        program.result(Map.of("out", out.toString(), "parameters", checkpoint.weights().parameters()));
        return 0;
    }
}
