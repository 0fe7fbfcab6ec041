package io.github.bitttt.cli;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.io.AtomicFile;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.train.ClusterTraining;
import io.github.bitttt.train.Masters;
import io.github.bitttt.train.TrainingOptions;
import io.github.bitttt.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Trains a Bit-Llama in SameDiff, and its tokenizer if none is given. */
@Command(name = "train", mixinStandardHelpOptions = true, sortOptions = false, description = "Train a model on a text.")
final class Train implements Callable<Integer> {
    private static final List<String> OF_A_RESUMED_RUN = List.of("--data", "--validation", "--out", "--resume",
            "--spark", "--json");

    @Spec
    private CommandSpec spec;
    @Mixin
    private Program program;

    @Option(names = "--out", required = true, paramLabel = "DIR", description = "A new folder for the run.")
    private Path out;
    @Option(names = "--resume", description = "Go on with the run in --out, as it was begun; other options are ignored, and named.")
    private boolean resume;
    @Option(names = "--from", paramLabel = "MODEL", description = "Fine-tune this model, a folder or a name of the zoo: sizes, forms and tokenizer are its own.")
    private String from;

    @ArgGroup(validate = false, order = 1, heading = "%nText:%n")
    private TrainData data = new TrainData();
    @ArgGroup(validate = false, order = 2, heading = "%nA new model:%n")
    private TrainModel sizes = new TrainModel();
    @ArgGroup(validate = false, order = 3, heading = "%nSteps:%n")
    private TrainSteps steps = new TrainSteps();
    @ArgGroup(validate = false, order = 4, heading = "%nThe run:%n")
    private TrainCourse course = new TrainCourse();
    @ArgGroup(validate = false, order = 5, heading = "%nSpark:%n")
    private TrainCluster cluster = new TrainCluster();

    @Override
    public Integer call() throws Exception {
        // All that can be refused is refused before a text is read or a word learned.
        TrainingOptions options = options();
        cluster.check();
        if (from == null && !resume) {
            sizes.check();
        }
        sayWhatIsIgnored();
        if (!resume) {
            if (Files.exists(out)) {
                throw new IOException(
                        out + ": exists already; choose another folder, or go on with its run by --resume");
            }
            AtomicFile.checkNewFolder(out);
        }
        TrainingRun.Texts texts = data.texts(resume && TrainingRun.isWithoutValidation(out));
        if (texts.validation().isEmpty()) {
            program.messages().println("bitttt: there is no validation text, so the last weights are the model");
            program.messages().flush();
        }
        if (cluster.asked()) {
            try (ClusterTraining training = TrainCluster.training()) {
                run(resume
                        ? training.resume(cluster.cluster(), out, texts)
                        : startOn(training, texts, options));
            }
        } else {
            run(resume ? TrainingRun.resume(out, texts) : start(texts, options));
        }
        // After the graph has given its memory back, for a picture takes some of its own.
        TrainingProgress.draw(out.resolve("training"));
        return 0;
    }

    private void run(TrainingRun opened) throws IOException, InterruptedException {
        try (TrainingRun run = opened;
                TrainingProgress progress = new TrainingProgress(run.trainer().options(), run.trainer().steps())) {
            double best = run.run(progress);
            program.messages().printf(Locale.ROOT, "%n%s%n%s: %,d steps%s, %s%n", progress.last(), out,
                    run.trainer().steps(),
                    run.stoppedEarly() ? ", stopped early" : "",
                    Double.isFinite(best)
                            ? String.format(Locale.ROOT, "best validation loss %.4f nats per token", best)
                            : "no validation text");
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("out", out.toString());
            result.put("steps", run.trainer().steps());
            result.put("stopped_early", run.stoppedEarly());
            result.put("validation_nats_per_token", Double.isFinite(best) ? best : null);
            program.result(result);
        }
    }

    /** Options that were given and that this way of beginning does not look at. */
    private void sayWhatIsIgnored() {
        List<String> ignored = new ArrayList<>();
        for (OptionSpec option : spec.commandLine().getParseResult().matchedOptions()) {
            String name = option.longestName();
            boolean looked = resume
                    ? OF_A_RESUMED_RUN.contains(name)
                    : from == null || !TrainModel.NAMES.contains(name);
            if (!looked || !cluster.asked() && List.of("--workers", "--local-steps").contains(name)) {
                ignored.add(name);
            }
        }
        if (!ignored.isEmpty()) {
            spec.commandLine().getErr().println("bitttt: ignored: " + String.join(", ", ignored) + (resume
                    ? "; a resumed run goes on by the options that it began with"
                    : from != null
                            ? "; a model that is fine-tuned keeps its sizes, forms and tokenizer"
                            : "; without --spark there is nothing that they mean"));
            spec.commandLine().getErr().flush();
        }
    }

    private TrainingRun start(TrainingRun.Texts texts, TrainingOptions options) throws IOException {
        Tokenizer words = words(texts);
        return TrainingRun.start(out, first(words), words, texts, options);
    }

    private TrainingRun startOn(ClusterTraining training, TrainingRun.Texts texts, TrainingOptions options)
            throws IOException {
        Tokenizer words = words(texts);
        return training.start(cluster.cluster(), out, first(words), words, texts, options);
    }

    private Tokenizer words(TrainingRun.Texts texts) throws IOException {
        if (from != null) {
            return Zoo.load(from).tokenizer();
        }
        if (sizes.tokenizer() != null) {
            return Tokenizer.load(sizes.tokenizer());
        }
        return Tokenizer.parse(BpeTrainer.train(texts.format().words(texts.training()), sizes.vocabulary()),
                "the new tokenizer");
    }

    private TrainingOptions options() {
        return new TrainingOptions(course.tokens(), course.seed(), steps.windows(course.orderSeed()), steps.descent(),
                course.run());
    }

    private Checkpoint first(Tokenizer words) throws IOException {
        if (from == null) {
            BitLlamaConfig config = sizes.config(words.vocabSize());
            return new Checkpoint(config, Weights.init(new BitLlama(config).params(), course.seed()), Map.of());
        }
        return Masters.of(Zoo.checkpoint(from));
    }
}
