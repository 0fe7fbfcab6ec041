package io.github.bitttt.cli;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.measure.Evaluation;
import io.github.bitttt.llama.text.Excerpt;
import io.github.bitttt.llama.text.TextFile;
import io.github.bitttt.llama.zoo.Samples;
import io.github.bitttt.viz.Charts;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.stream.DoubleStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Online learning on a stream: one session reads line after line and learns from each; another forgets before each. */
@Command(name = "stream", mixinStandardHelpOptions = true, description = "Learn from a stream of lines while it comes, and show what that is worth.")
final class OnlineLearning implements Callable<Integer> {
    private static final int MAX_SHOWN = 50; // letters of a line

    @Mixin
    private ModelOption model;
    @Mixin
    private AdaptOption adapt;
    @Mixin
    private WindowOption window;
    @Mixin
    private Program program;

    @Option(names = "--input", paramLabel = "FILE", description = "Lines to read; - for standard input (default: a story, another one, and the first again).")
    private String input;
    @Option(names = "--limit", defaultValue = "1000000", description = "The most lines to read (default: ${DEFAULT-VALUE}).")
    private long limit;
    @Option(names = "--load-memory", paramLabel = "FILE", description = "Go on with what was learned before.")
    private Path loadMemory;
    @Option(names = "--save-memory", paramLabel = "FILE", description = "Save what was learned.")
    private Path saveMemory;
    @Option(names = "--plot", paramLabel = "FILE", description = "Draw the surprise of the lines, as .png or .svg.")
    private Path plot;

    private final DoubleStream.Builder learned = DoubleStream.builder();
    private final DoubleStream.Builder forgotten = DoubleStream.builder();
    private double learning;
    private double forgetting;
    private long tokens;
    private long lines;

    @Override
    public Integer call() throws Exception {
        adapt.check();
        Program.checkTargets(saveMemory, plot);
        try (TextFile.Lines reader = open()) {
            learn(window.of(model.load()), reader);
        }
        if (tokens == 0) {
            throw new IllegalArgumentException("the stream has no line of at least two tokens");
        }
        program.messages().printf(Locale.ROOT, "%6s %7d %10.3f %12.3f   nats per token of all lines%n", "all", tokens,
                learning / tokens, forgetting / tokens);
        if (plot != null) {
            draw();
        }
        program.result(Map.of("lines", lines, "tokens", tokens, "learning", learning / tokens, "forgetting",
                forgetting / tokens));
        return 0;
    }

    /** Reads to the end of the stream. Where that ends badly, what was learned until then is saved all the same. */
    private void learn(Model loaded, TextFile.Lines reader) throws IOException {
        try (
                Session learner = adapt.of(loaded).newSession();
                Session forgetful = loaded.newSession()) {
            if (loadMemory != null) {
                learner.loadMemory(loadMemory);
            }
            program.messages().printf(Locale.ROOT, "%6s %7s %10s %12s   %s%n", "line", "tokens", "learning",
                    "forgetting", "text");
            try {
                for (String line; lines < limit && (line = reader.next()) != null;) {
                    read(line, learner, forgetful);
                }
            } finally {
                if (saveMemory != null) {
                    learner.saveMemory(saveMemory);
                }
            }
        }
    }

    private TextFile.Lines open() throws IOException {
        if (input == null) {
            String stories = Samples.story() + "\n" + Samples.otherStory() + "\n" + Samples.story();
            return TextFile.Lines.of(new ByteArrayInputStream(stories.getBytes(StandardCharsets.UTF_8)), "the stories");
        }
        return input.equals("-") ? TextFile.Lines.of(System.in, "standard input") : TextFile.Lines.of(Path.of(input));
    }

    private void read(String line, Session learner, Session forgetful) throws IOException {
        int[] ids = learner.model().tokenizer().encode(line);
        if (ids.length < 2) {
            return;
        }
        forgetful.reset();
        double first = Arrays.stream(Evaluation.surprises(learner, ids)).sum();
        double second = Arrays.stream(Evaluation.surprises(forgetful, ids)).sum();
        int predicted = ids.length - 1;
        lines++;
        tokens += predicted;
        learning += first;
        forgetting += second;
        if (plot != null) {
            learned.add(first / predicted);
            forgotten.add(second / predicted);
        }
        program.messages().printf(Locale.ROOT, "%6d %7d %10.3f %12.3f   %s%n", lines, predicted, first / predicted,
                second / predicted, Excerpt.of(line, line.length() > MAX_SHOWN ? MAX_SHOWN - 3 : MAX_SHOWN));
        program.checkRead();
    }

    private void draw() throws IOException {
        SequencedMap<String, double[]> series = new LinkedHashMap<>();
        series.put("learning from line to line", learned.build().toArray());
        series.put("forgetting before each line", forgotten.build().toArray());
        Charts.lines("A stream of lines", "line", "nats per token", series).save(plot);
    }
}
