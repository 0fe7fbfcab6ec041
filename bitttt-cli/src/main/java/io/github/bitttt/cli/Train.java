package io.github.bitttt.cli;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.io.AtomicFile;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.measure.Evaluation;
import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.llama.zoo.Samples;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.train.ClusterTraining;
import io.github.bitttt.train.TextFormat;
import io.github.bitttt.train.TrainingOptions;
import io.github.bitttt.train.TrainingRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains a Bit-Llama in SameDiff, and its tokenizer if none is given. */
@Command(name = "train", mixinStandardHelpOptions = true, description = "Train a model on a text.")
final class Train implements Callable<Integer> {
    @Mixin
    private Program program;

    @Option(names = "--data", paramLabel = "FILE", description = "Training text, <|endoftext|> between documents; or a .jsonl or .ndjson file of lines with a text, or a prompt, which is not learned, and a completion (default: a sample of TinyStories that ships).")
    private Path data;
    @Option(names = "--validation", paramLabel = "FILE", description = "Text that chooses the best model (default: the last tenth of the training text).")
    private Path validation;
    @Option(names = "--out", required = true, paramLabel = "DIR", description = "A new folder for the run.")
    private Path out;
    @Option(names = "--resume", description = "Go on with the run in --out, as it was begun; other options are ignored.")
    private boolean resume;
    @Option(names = "--from", paramLabel = "MODEL", description = "Fine-tune the masters of this model folder: sizes, forms and tokenizer are its own.")
    private Path from;
    @Option(names = "--tokenizer", paramLabel = "FILE", description = "A tokenizer.json (default: one learned from the text).")
    private Path tokenizer;
    @Option(names = "--tokens", defaultValue = "1000000", description = "Tokens to train on (default: ${DEFAULT-VALUE}).")
    private long tokens;
    @Option(names = "--vocabulary", defaultValue = "2048", description = "V (default: ${DEFAULT-VALUE}).")
    private int vocabulary;
    @Option(names = "--width", defaultValue = "256", description = "D (default: ${DEFAULT-VALUE}).")
    private int width;
    @Option(names = "--layers", defaultValue = "4", description = "Blocks (default: ${DEFAULT-VALUE}).")
    private int layers;
    @Option(names = "--inner", defaultValue = "0", description = "F (default: 8/3 of D, in multiples of 16).")
    private int inner;
    @Option(names = "--memory", defaultValue = "0", description = "M, the width of the memory's features (default: D / 4).")
    private int memory;
    @Option(names = "--heads", defaultValue = "1", description = "H, memories of a layer, M / H wide (default: ${DEFAULT-VALUE}).")
    private int heads;
    @Option(names = "--decay", description = "The memory fades at a learned rate.")
    private boolean decay;
    @Option(names = "--seed-layer", description = "The seed's memory layer instead of the default one.")
    private boolean seedLayer;
    @Option(names = "--baseline", paramLabel = "attention", description = "Causal attention with rotary positions, of --heads heads, in place of memory layers; F shrinks so that there are about as many parameters.")
    private Baseline baseline;
    @Option(names = "--batch", defaultValue = "16", description = "Windows of a step (default: ${DEFAULT-VALUE}).")
    private int batch;
    @Option(names = "--window", defaultValue = "256", description = "Tokens of a window (default: ${DEFAULT-VALUE}).")
    private int window;
    @Option(names = "--micro-batch", defaultValue = "0", description = "Windows that go through the graph at once; gradients are summed (default: all of the batch).")
    private int microBatch;
    @Option(names = "--carry", defaultValue = "1", paramLabel = "N", description = "Carry the memory over N windows that follow one another in the text (default: ${DEFAULT-VALUE}, each from an empty one).")
    private int carry;
    @Option(names = "--average", defaultValue = "0", paramLabel = "DECAY", description = "Measure and save a running mean of the weights, of this decay a step, such as 0.999 (default: the weights themselves).")
    private double average;
    @Option(names = "--rate", defaultValue = "0.003", description = "Peak learning rate (default: ${DEFAULT-VALUE}).")
    private double rate;
    @Option(names = "--repeats", defaultValue = "0.125", description = "Share of windows with a repeated passage (default: ${DEFAULT-VALUE}).")
    private double repeats;
    @Option(names = "--weight-decay", defaultValue = "0.1", description = "On matrices (default: ${DEFAULT-VALUE}).")
    private double weightDecay;
    @Option(names = "--dropout", defaultValue = "0", description = "Share of what the embedding and each layer give that a step leaves out at random; for several epochs of a small text (default: ${DEFAULT-VALUE}).")
    private double dropout;
    @Option(names = "--seed", defaultValue = "1", description = "Of first weights and order (default: ${DEFAULT-VALUE}).")
    private long seed;
    @Option(names = "--order-seed", description = "Of the order of windows alone (default: the seed).")
    private Long orderSeed;
    @Option(names = "--label", preprocessor = AttachedText.class, description = "A name for logs and the model's metadata.")
    private String label = "";
    @Option(names = "--patience", defaultValue = "0", paramLabel = "N", description = "Stop after N validations that are no better than the best (default: never).")
    private int patience;
    @Option(names = "--validate-every", defaultValue = "200", description = "Steps (default: ${DEFAULT-VALUE}).")
    private int validateEvery;
    @Option(names = "--checkpoint-every", defaultValue = "100", description = "Steps (default: ${DEFAULT-VALUE}).")
    private int checkpointEvery;

    @Option(names = "--spark", arity = "0..1", fallbackValue = "", paramLabel = "MASTER", description = "Train on Spark, on this master, such as local[2] (without one: on that of spark-submit).")
    private String spark;
    @Option(names = "--workers", defaultValue = "0", description = "With --spark: tasks that train at once, a divisor of the batch (default: as many as Spark runs at once).")
    private int workers;
    @Option(names = "--local-steps", defaultValue = "50", description = "With --spark: steps of each worker between two agreements; 1 averages every gradient (default: ${DEFAULT-VALUE}).")
    private int localSteps;

    @Override
    public Integer call() throws Exception {
        if (!resume && !Files.exists(out)) {
            AtomicFile.checkNewFolder(out);
        }
        TrainingRun.Texts texts = texts();
        if (spark != null) {
            return onSpark(texts);
        }
        try (TrainingRun run = resume ? TrainingRun.resume(out, texts) : start(texts);
                TrainingProgress progress = new TrainingProgress(run.trainer().options(), run.trainer().steps())) {
            double best = run.run(progress);
            program.messages().printf(Locale.ROOT, "%n%s: %,d steps%s, best validation loss %.4f nats per token%n", out,
                    run.trainer().steps(), run.stoppedEarly() ? ", stopped early" : "", best);
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("out", out.toString());
            result.put("steps", run.trainer().steps());
            result.put("stopped_early", run.stoppedEarly());
            result.put("validation_nats_per_token", Double.isFinite(best) ? best : null);
            program.result(result);
        }
        // After the graph has given its memory back, for a picture takes some of its own.
        TrainingProgress.draw(out.resolve("training"));
        return 0;
    }

    private TrainingRun start(TrainingRun.Texts texts) throws IOException {
        Tokenizer words = words(texts);
        return from != null
                ? TrainingRun.start(out, masters(), words, texts, options())
                : TrainingRun.start(out, config(words.vocabSize()), words, texts, options());
    }

    private Tokenizer words(TrainingRun.Texts texts) throws IOException {
        if (Files.exists(out)) {
            throw new IOException(out + ": exists already; choose another folder, or go on with its run by --resume");
        }
        if (from != null || tokenizer != null) {
            return Tokenizer.load(from != null ? from : tokenizer);
        }
        return Tokenizer.parse(BpeTrainer.train(texts.format().words(texts.training()), vocabulary),
                "the new tokenizer");
    }

    private enum Baseline {
        ATTENTION
    }

    private TrainingOptions options() {
        return TrainingOptions.of(tokens).withBatch(batch, window).withPeakRate(rate).withSeed(seed)
                .withOrderSeed(orderSeed == null ? seed : orderSeed)
                .withMicroBatch(microBatch > 0 ? microBatch : batch).withCarry(carry).withAverage(average)
                .withRepeats(repeats).withWeightDecay(weightDecay).withDropout(dropout)
                .withIntervals(validateEvery, checkpointEvery).withPatience(patience).withLabel(label);
    }

    private Checkpoint masters() throws IOException {
        Checkpoint checkpoint = Checkpoint.load(from);
        if (!checkpoint.weights().areMasters()) {
            throw new IOException(from + ": holds packed codes; only float32 masters can be fine-tuned");
        }
        return checkpoint;
    }

    private BitLlamaConfig config(int words) {
        int feedForward = inner > 0 ? inner : Math.max(16, Math.ceilDiv(8 * width, 3 * 16) * 16);
        BitLlamaConfig config = BitLlamaConfig.of(words, width, layers, feedForward);
        int features = memory > 0 ? memory : config.ttt().memorySize();
        BitLlamaConfig.Ttt form = seedLayer
                ? BitLlamaConfig.Ttt.seed(features)
                : BitLlamaConfig.Ttt.standard(features);
        return baseline == null
                ? config.withTtt(form.withHeads(heads).withDecay(decay))
                : config.withTtt(form).withAttention(heads);
    }

    private int onSpark(TrainingRun.Texts texts) throws IOException {
        ClusterTraining training = ServiceLoader.load(ClusterTraining.class).findFirst()
                .orElseThrow(() -> new IllegalStateException(
                        "--spark needs bitttt-spark and Spark on the class path; ./bitttt train --spark adds both"));
        if (texts.format() != TextFormat.PLAIN) {
            throw new IllegalArgumentException(data + ": --spark takes plain text, where every token is learned; "
                    + "train on prompts and completions in one process");
        }
        ClusterTraining.Cluster cluster = new ClusterTraining.Cluster(spark, workers, localSteps, program.messages());
        if (resume) {
            training.resume(cluster, out, texts.training());
        } else {
            Tokenizer words = words(texts);
            training.start(cluster, out, from != null ? masters() : first(words), words, texts.training(), options());
        }
        double nats = texts.validation().isEmpty()
                ? Double.NaN
                : Evaluation.of(Model.load(out), texts.validation(), new Evaluation.Reset.Every(window)).natsPerToken();
        program.messages().printf(Locale.ROOT, "%s: validation loss %.4f nats per token%n", out, nats);
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("out", out.toString());
        result.put("validation_nats_per_token", Double.isFinite(nats) ? nats : null);
        program.result(result);
        return 0;
    }

    private Checkpoint first(Tokenizer words) {
        BitLlamaConfig config = config(words.vocabSize());
        return new Checkpoint(config, Weights.init(new BitLlama(config).params(), seed), Map.of());
    }

    private TrainingRun.Texts texts() throws IOException {
        TextFormat format = data == null ? TextFormat.PLAIN : TextFormat.of(data);
        String training = data == null ? Samples.tinyStories() : format.read(data);
        if (training.isBlank()) {
            throw new IllegalArgumentException((data == null ? "the sample" : data) + ": the training text is empty");
        }
        if (validation != null) {
            return new TrainingRun.Texts(training, format.read(validation), format);
        }
        int cut = training.indexOf(format == TextFormat.JSON_LINES ? "\n" : Tokenizer.END_OF_TEXT,
                (int) (training.length() * 0.9));
        return cut < 0 || training.substring(cut).isBlank()
                ? new TrainingRun.Texts(training, "", format)
                : new TrainingRun.Texts(training.substring(0, cut), training.substring(cut), format);
    }
}
