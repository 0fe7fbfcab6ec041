package io.github.bitttt.cli;

import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.measure.Evaluation;
import io.github.bitttt.llama.measure.MemoryGain;
import io.github.bitttt.llama.text.TextFile;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.viz.Charts;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How well a model predicts a text. */
@Command(name = "evaluate", mixinStandardHelpOptions = true, description = "Measure a model on a text.")
final class Evaluate implements Callable<Integer> {
    /** Positions of the running mean. */
    private static final int MEAN = 8;

    @Mixin
    private ModelOption model;
    @Mixin
    private AdaptOption adapt;
    @Mixin
    private WindowOption window;
    @Mixin
    private Program program;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "UTF-8 text, <|endoftext|> between documents.")
    private Path data;
    @Option(names = "--reset", defaultValue = "document", paramLabel = "document|never|N", description = "When the memory is emptied (default: ${DEFAULT-VALUE}).")
    private String reset;
    @Option(names = "--plot", paramLabel = "FILE", description = "Draw the surprise by position in a document, as .png or .svg.")
    private Path plot;

    @Option(names = "--memory", description = "Also what the memory is worth: emptied every 64, 256, 1,024 and 4,096 tokens, and never; loss by position; norm of W.")
    private boolean memory;
    @Option(names = "--every", paramLabel = "N", defaultValue = "0", description = "Instead: read all in one session, and tell loss, norm of W and resident memory every N tokens.")
    private int every;

    @Override
    public Integer call() throws Exception {
        Evaluation.Reset rule = rule(reset);
        adapt.check();
        Program.checkTargets(null, plot);
        Model frozen = window.of(model.load());
        Model loaded = adapt.of(frozen);
        String text = TextFile.read(data);
        checkText(loaded.tokenizer(), text);
        Map<String, Object> result = new LinkedHashMap<>();
        if (every > 0) {
            result.put("rows", LongText.read(loaded, loaded.tokenizer().encode(text), every, program.messages()));
        } else {
            measure(loaded, text, rule, result);
            if (adapt.asked()) {
                compare(frozen, text, rule, result);
            }
        }
        program.result(result);
        return 0;
    }

    /** What a text must have is known before it is measured, which may take hours. */
    private void checkText(Tokenizer tokenizer, String text) {
        int tokens = tokenizer.encode(text).length;
        if (tokens < 2) {
            throw new IllegalArgumentException(
                    data + ": nothing in it can be predicted: at least 2 tokens are needed, got " + tokens);
        }
        if (text.replace(Tokenizer.END_OF_TEXT, "").isEmpty()) {
            throw new IllegalArgumentException(data + ": nothing in it can be predicted: it has end markers only");
        }
        if (plot != null && Arrays.stream(documents(text)).allMatch(part -> tokenizer.encode(part).length < 2)) {
            throw new IllegalArgumentException(
                    data + ": none of its documents has 2 tokens, so --plot has nothing to draw");
        }
    }

    private static String[] documents(String text) {
        return text.split(Pattern.quote(Tokenizer.END_OF_TEXT));
    }

    private void measure(Model loaded, String text, Evaluation.Reset rule, Map<String, Object> result)
            throws IOException {
        Evaluation evaluation = Evaluation.of(loaded, text, rule);
        program.messages().println(evaluation);
        result.put("nats_per_token", evaluation.natsPerToken());
        result.put("bits_per_byte", evaluation.bitsPerByte());
        result.put("tokens", evaluation.tokens());
        result.put("bytes", evaluation.bytes());
        result.put("tokens_per_second", evaluation.tokensPerSecond());
        if (memory) {
            gain(MemoryGain.of(loaded, text), result);
        }
        if (plot != null) {
            SequencedMap<String, double[]> curve = new LinkedHashMap<>();
            curve.put("each document from an empty memory",
                    byPosition(loaded, documents(text)));
            Charts.lossByPosition("Surprise by position, mean of all documents", curve, MEAN).save(plot);
        }
    }

    /** What the memory at the output is worth: beside the frozen model, and beside plain counts in its place. */
    private void compare(Model frozen, String text, Evaluation.Reset rule, Map<String, Object> result) {
        double adapted = (double) result.get("bits_per_byte");
        double without = Evaluation.of(frozen, text, rule).bitsPerByte();
        double counts = Evaluation.of(frozen.withOutputMemory(OutputMemory.counts()), text, rule).bitsPerByte();
        program.messages().printf(Locale.ROOT,
                "bits per byte: %.4f frozen, %.4f with counts, %.4f adapted; %.2f%% saved%n", without, counts, adapted,
                100 * (1 - adapted / without));
        result.put("frozen_bits_per_byte", without);
        result.put("adapted_bits_per_byte", adapted);
        result.put("counts_bits_per_byte", counts);
    }

    private void gain(MemoryGain gain, Map<String, Object> result) {
        program.messages().println(gain);
        result.put("nats_by_reset", gain.every());
        result.put("nats_never_reset", gain.never());
        result.put("nats_by_position", gain.byPosition().stream()
                .map(stretch -> Map.of("from", stretch.from(), "to", stretch.to(), "nats", stretch.natsPerToken()))
                .toList());
        result.put("memory_norms", gain.norms());
    }

    /** Mean nats of every position that at least a quarter of the documents reach. */
    private static double[] byPosition(Model model, String[] documents) {
        List<double[]> all = new ArrayList<>();
        try (Session session = model.newSession()) {
            for (String document : documents) {
                session.reset();
                double[] nats = Evaluation.surprises(session, model.tokenizer().encode(document));
                if (nats.length > 0) {
                    all.add(nats);
                }
            }
        }
        int[] lengths = all.stream().mapToInt(nats -> nats.length).sorted().toArray();
        return IntStream.range(0, lengths[lengths.length - 1 - lengths.length / 4]).mapToDouble(
                position -> all.stream().filter(nats -> nats.length > position).mapToDouble(nats -> nats[position])
                        .average().orElseThrow())
                .toArray();
    }

    private static Evaluation.Reset rule(String reset) {
        return switch (reset) {
            case "document" -> new Evaluation.Reset.Document();
            case "never" -> new Evaluation.Reset.Never();
            default -> {
                if (!reset.matches("\\d{1,9}")) {
                    throw new IllegalArgumentException(
                            "--reset must be document, never or a number of tokens, got " + reset);
                }
                yield new Evaluation.Reset.Every(Integer.parseInt(reset));
            }
        };
    }
}
