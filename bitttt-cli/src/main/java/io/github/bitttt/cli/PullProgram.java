package io.github.bitttt.cli;

import io.github.bitttt.llama.hub.HubName;
import io.github.bitttt.llama.hub.Pull;
import io.github.bitttt.llama.io.ModelFormat;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Fetches a model into the cache that Python's tools share: the one program that uses a network. */
@Command(name = "pull", mixinStandardHelpOptions = true, description = "Fetch a model from Hugging Face's hub into its local cache.", footer = {
        "",
        "Environment: HF_HUB_CACHE or HF_HOME, where the cache is; HF_TOKEN, or the file that `hf auth login` writes, for gated "
                + "models; HF_ENDPOINT, another hub. What was broken off goes on where it was. Behind a proxy: "
                + "JAVA_OPTIONS=\"-Dhttps.proxyHost=HOST -Dhttps.proxyPort=PORT\"."})
final class PullProgram implements Callable<Integer> {
    @Spec
    private CommandSpec spec;
    @Mixin
    private Program program;

    @Parameters(paramLabel = "ORG/NAME", description = "The model's name on the hub; also ORG/NAME@REVISION and ORG/NAME:FILE.gguf.")
    private String model;
    @Option(names = "--file", paramLabel = "FILE.gguf", description = "A GGUF file of it, or a part of its name that no other has (default: config, tokenizer and safetensors, or the only GGUF file).")
    private String file;
    @Option(names = "--revision", paramLabel = "R", description = "A branch, a tag or a commit (default: main).")
    private String revision;

    /** A bar on standard error. */
    private static final class Bar implements Pull.Progress, AutoCloseable {
        private final HubName name;
        private final PrintWriter errors;
        private final ProgressBar bar;
        private long expected;

        Bar(HubName name, PrintWriter errors) {
            this.name = name;
            this.errors = errors;
            bar = new ProgressBarBuilder().setTaskName("pull").setStyle(ProgressBarStyle.ASCII)
                    .setUnit(" MB", 1_000_000)
                    .setUpdateIntervalMillis(500).setMaxRenderedLength(110).showSpeed().build();
        }

        @Override
        public void expects(int files, long bytes) {
            expected += bytes;
            bar.maxHint(expected);
        }

        @Override
        public void came(String file, long bytes) {
            bar.setExtraMessage(" " + file);
            bar.stepBy(bytes);
        }

        @Override
        public void says(String line) {
            errors.println(line);
            errors.flush();
        }

        @Override
        public void beforeWeights(Path folder) throws IOException {
            try {
                ModelFormat.of(folder).config(folder);
            } catch (IOException e) {
                throw new IOException(name + " is no model that bitttt reads, so its weights were not fetched: "
                        + e.getMessage() + "; ./bitttt import --list names what is read", e);
            }
        }

        @Override
        public void close() {
            bar.close();
        }
    }

    @Override
    public Integer call() throws Exception {
        HubName name = name();
        Pull pull = Pull.of(System.getenv());
        Pull.Result result;
        try (Bar bar = new Bar(name, spec.commandLine().getErr())) {
            result = pull.pull(name, bar);
        }
        List<Pull.Fetched> fetched = result.files().stream().filter(Pull.Fetched::fetched).toList();
        long bytes = fetched.stream().mapToLong(Pull.Fetched::bytes).sum();
        program.messages().printf(Locale.ROOT, "%s: %d of %d files were fetched, %,d bytes, each with the right hash%n",
                result.path(), fetched.size(), result.files().size(), bytes);
        program.messages().println("./bitttt generate --model " + name);
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("model", name.toString());
        object.put("commit", result.commit());
        object.put("path", result.path().toString());
        object.put("bytes", result.files().stream().mapToLong(Pull.Fetched::bytes).sum());
        object.put("fetched_bytes", bytes);
        object.put("files",
                result.files().stream().map(one -> Map.of("name", one.name(), "bytes", one.bytes(), "fetched",
                        one.fetched())).toList());
        program.result(object);
        return 0;
    }

    private HubName name() {
        HubName named = HubName.parse(model).orElseThrow(() -> new IllegalArgumentException(
                "pull takes the name of a model on the hub, ORG/NAME, got " + model));
        if (file != null && named.file().isPresent() || revision != null && !named.revision().equals(HubName.MAIN)) {
            throw new IllegalArgumentException("the name " + model + " and an option say both which "
                    + (file != null && named.file().isPresent() ? "file" : "revision") + " is meant; give one of them");
        }
        return new HubName(named.id(), revision == null ? named.revision() : revision,
                file == null ? named.file() : Optional.of(file));
    }
}
