package io.github.bitttt.cli;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.measure.Rereading;
import io.github.bitttt.llama.text.TextFile;
import io.github.bitttt.llama.zoo.Samples;
import io.github.bitttt.viz.Charts;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The memory effect: what was read before surprises less. */
@Command(name = "memory", mixinStandardHelpOptions = true, description = "Show that the memory learns while it reads.")
final class MemoryProgram implements Callable<Integer> {
    @Mixin
    private ModelOption model;
    @Mixin
    private AdaptOption adapt;
    @Mixin
    private WindowOption window;
    @Mixin
    private Program program;

    @Option(names = "--text", paramLabel = "FILE", description = "A text to read three times (default: one that ships).")
    private Path text;
    @Option(names = "--other", paramLabel = "FILE", description = "Another text of about the same length, as a control.")
    private Path other;
    @Option(names = "--passages", paramLabel = "FILE", description = "Also read each passage of a text after itself and after another one.")
    private Path passages;
    @Option(names = "--passage-length", defaultValue = "128", description = "Tokens of a passage (default: ${DEFAULT-VALUE}).")
    private int passageLength;
    @Option(names = "--seed", defaultValue = "1", description = "Of the pattern's vectors (default: ${DEFAULT-VALUE}).")
    private long seed;
    @Option(names = "--plot", paramLabel = "FILE", description = "Draw the losses of the pattern, as .png or .svg.")
    private Path plot;

    @Override
    public Integer call() throws Exception {
        adapt.check();
        Program.checkTargets(null, plot);
        String first = text == null ? Samples.story() : TextFile.read(text);
        String second = other == null ? Samples.otherStory() : TextFile.read(other);
        String cut = passages == null ? "" : TextFile.read(passages);
        double[] pattern = VectorPattern.losses(seed);
        Model loaded = adapt.of(window.of(model.load()));
        Rereading.Readings readings = Rereading.readings(loaded, first, second);
        Rereading.Passages gain = passages == null
                ? null
                : Rereading.passages(loaded, cut, passageLength);
        if (!program.json()) {
            print(pattern, readings);
            if (gain != null) {
                print(gain);
            }
        }
        if (plot != null) {
            Charts.reconstruction(pattern, 3).save(plot);
            program.messages().println(plot + ": drawn");
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("pattern_losses", pattern);
        result.put("kept", readings.kept());
        result.put("reset", readings.reset());
        result.put("after_other", readings.afterOther());
        if (gain != null) {
            result.put("passages", Map.of("passages", gain.passages(), "tokens", passageLength, "fresh", gain.fresh(),
                    "after_itself", gain.afterItself(), "after_other", gain.afterOther(), "gain", gain.gain()));
        }
        program.result(result);
        return 0;
    }

    private void print(double[] pattern, Rereading.Readings readings) {
        program.out().println("Three random vectors, again and again: reconstruction loss before each update");
        program.out().printf(Locale.ROOT, "  %-10s %10s %10s %10s%n", "round", "vector 0", "vector 1", "vector 2");
        for (int round : new int[]{1, 2, 5, 10, 30, 100}) {
            int at = 3 * (round - 1);
            program.out().printf(Locale.ROOT, "  %-10d %10.5f %10.5f %10.5f%n", round, pattern[at], pattern[at + 1],
                    pattern[at + 2]);
        }
        program.out().println("A text, again and again: nats per token");
        program.out().printf(Locale.ROOT, "  %-24s %8s %8s %8s%n", "reading", "first", "second", "third");
        row("memory kept", readings.kept());
        row("memory reset", readings.reset());
        program.out().printf(Locale.ROOT, "  %-24s %8.4f%n", "after another text", readings.afterOther());
    }

    private void print(Rereading.Passages gain) {
        program.out().printf(Locale.ROOT, "%,d passages of %d tokens: nats per token%n", gain.passages(),
                passageLength);
        program.out().printf(Locale.ROOT, "  %-24s %8.4f%n", "read first", gain.fresh());
        program.out().printf(Locale.ROOT, "  %-24s %8.4f%n", "after itself", gain.afterItself());
        program.out().printf(Locale.ROOT, "  %-24s %8.4f%n", "after another passage", gain.afterOther());
        program.out().printf(Locale.ROOT, "  %-24s %7.1f%%%n", "saved by the memory", 100 * gain.gain());
    }

    private void row(String name, double[] nats) {
        program.out().printf(Locale.ROOT, "  %-24s %8.4f %8.4f %8.4f%n", name, nats[0], nats[1], nats[2]);
    }
}
