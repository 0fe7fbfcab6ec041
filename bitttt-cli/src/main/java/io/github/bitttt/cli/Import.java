package io.github.bitttt.cli;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.io.AtomicFile;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.ModelFormat;
import io.github.bitttt.llama.io.OriginalCheckpoint;
import io.github.bitttt.llama.io.Reading;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A checkpoint of the original Rust trainer becomes a model folder; and a list of what is read as it is. */
@Command(name = "import", mixinStandardHelpOptions = true, description = "List what models are read, or import a checkpoint of the original engine.")
final class Import implements Callable<Integer> {
    @Mixin
    private Program program;
    @ArgGroup(multiplicity = "1")
    private Work work;

    /** One of two. */
    private static final class Work {
        @Option(names = "--list", required = true, description = "Name the families and forms that --model reads as they are, and what was tested of each.")
        private boolean list;
        @ArgGroup(exclusive = false)
        private Original original;
    }

    /** What is imported, and where to. */
    private static final class Original {
        @Option(names = "--original", required = true, paramLabel = "FILE", description = "Its .safetensors file.")
        private Path original;
        @Option(names = "--tokenizer", paramLabel = "FILE", description = "Its tokenizer.json, copied into the folder.")
        private Path tokenizer;
        @Option(names = "--out", required = true, paramLabel = "DIR", description = "A new folder.")
        private Path out;
    }

    @Override
    public Integer call() throws Exception {
        if (work.list) {
            list();
        } else {
            convert(work.original);
        }
        return 0;
    }

    private void list() throws IOException {
        List<Map<String, String>> all = new ArrayList<>();
        for (ModelFormat format : ModelFormat.all()) {
            program.messages().println(format.name());
            for (Reading reading : format.readings()) {
                String tested = reading.tested().isEmpty() ? "not tested" : "tested: " + reading.tested();
                program.messages().printf(Locale.ROOT, "  %-9s %-12s %s%n%25s%s%n", reading.kind(), reading.name(),
                        reading.about(), "", tested);
                all.add(Map.of("format", format.name(), "kind", reading.kind().toString(), "name", reading.name(),
                        "about",
                        reading.about(), "tested", reading.tested()));
            }
        }
        program.messages().println(
                "Tests are of synthetic models in the same forms; the published weights themselves were not run.");
        program.result(Map.of("readings", all));
    }

    private void convert(Original from) throws IOException {
        AtomicFile.checkNewFolder(from.out);
        Optional<Tokenizer> words = from.tokenizer == null
                ? Optional.empty()
                : Optional.of(Tokenizer.load(from.tokenizer));
        Checkpoint checkpoint = OriginalCheckpoint.convert(from.original);
        int vocabulary = checkpoint.config().vocabSize();
        if (words.isPresent() && words.get().vocabSize() != vocabulary) {
            throw new IOException(from.tokenizer + ": has " + words.get().vocabSize() + " tokens, the checkpoint "
                    + vocabulary + "; give the tokenizer that it was trained with");
        }
        checkpoint.save(from.out, words.map(Tokenizer::json).orElse(""));
        program.messages().println(from.out + ": " + new BitLlama(checkpoint.config()));
        program.result(Map.of("out", from.out.toString(), "parameters", checkpoint.weights().parameters()));
    }
}
