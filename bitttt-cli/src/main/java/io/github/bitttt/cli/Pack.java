package io.github.bitttt.cli;

import io.github.bitttt.llama.io.AtomicFile;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.TextFile;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Masters to two-bit codes and int8 rows. */
@Command(name = "pack", mixinStandardHelpOptions = true, description = "Write the packed form of a model folder.")
final class Pack implements Callable<Integer> {
    @Mixin
    private ModelOption model;
    @Mixin
    private Program program;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "A new folder.")
    private Path out;

    @Override
    public Integer call() throws Exception {
        AtomicFile.checkNewFolder(out);
        Checkpoint masters = Zoo.checkpoint(model.name());
        Checkpoint packed = masters.pack();
        packed.save(out, tokenizer());
        Optional<String> generation = Zoo.generationConfig(model.name());
        if (generation.isPresent()) {
            AtomicFile.write(out.resolve(Zoo.GENERATION_CONFIG), generation.get());
        }
        program.messages().printf(Locale.ROOT, "%s: %,d bytes of weights, from %,d%n", out, packed.weights().bytes(),
                masters.weights().bytes());
        program.result(
                Map.of("out", out.toString(), "bytes", packed.weights().bytes(), "fingerprint", packed.fingerprint()));
        return 0;
    }

    private String tokenizer() throws IOException {
        Optional<Path> place = Zoo.place(model.name());
        if (place.isEmpty()) {
            return Zoo.load(model.name()).tokenizer().json();
        }
        Path file = place.get().resolve(Tokenizer.FILE);
        return Files.exists(file) ? TextFile.read(file) : "";
    }
}
