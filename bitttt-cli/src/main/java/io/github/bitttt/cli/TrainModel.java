package io.github.bitttt.cli;

import io.github.bitttt.llama.BitLlamaConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Option;

/** What {@code train} makes: sizes and forms of a new model. */
final class TrainModel {
    /** The options here, which a model that is there already has of its own. */
    static final List<String> NAMES = List.of("--tokenizer", "--vocabulary", "--width", "--layers", "--inner",
            "--memory", "--heads", "--decay", "--layer", "--seed-layer", "--baseline");
    private static final int MOST = 1 << 20;

    @Option(names = "--tokenizer", paramLabel = "FILE", description = "A tokenizer.json (default: one learned from the text).")
    private Path tokenizer;
    @Option(names = "--vocabulary", description = "V, 257 to 1048576 (default: 2048).")
    private int vocabulary = 2048;
    @Option(names = "--width", description = "D (default: 256).")
    private int width = 256;
    @Option(names = "--layers", description = "Blocks (default: 4).")
    private int layers = 4;
    @Option(names = "--inner", description = "F (default: 8/3 of D, in multiples of 16).")
    private Integer inner;
    @Option(names = "--memory", description = "M, the width of the memory's features (default: D / 4).")
    private Integer memory;
    @Option(names = "--heads", description = "H, memories of a layer, M / H wide (default: 1).")
    private int heads = 1;
    @Option(names = "--decay", description = "The memory fades at a learned rate.")
    private boolean decay;
    @Option(names = "--layer", paramLabel = "KIND", description = "memory (the default); seed, the memory layer that this project began with; gated-delta, that of Qwen3-Next, of --heads heads on --memory; or attention, causal with rotary positions, of --heads heads. Of the last two F shrinks so that there are about as many parameters.")
    private Layer layer;
    @Option(names = "--seed-layer", description = "The same as --layer seed.")
    private boolean seedLayer;
    @Option(names = "--baseline", paramLabel = "attention", description = "The same as --layer attention.")
    private Baseline baseline;

    private enum Baseline {
        ATTENTION
    }

    private enum Layer {
        MEMORY, SEED, GATED_DELTA, ATTENTION;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    Path tokenizer() {
        return tokenizer;
    }

    int vocabulary() {
        return vocabulary;
    }

    /** Every number in its range; to be called before anything is read. */
    void check() {
        Numbers.require("--vocabulary", vocabulary, 257, MOST);
        Numbers.require("--width", width, 1, MOST);
        Numbers.require("--layers", layers, 1, MOST);
        Numbers.require("--heads", heads, 1, MOST);
        if (inner != null) {
            Numbers.require("--inner", inner, 1, MOST);
        }
        if (memory != null) {
            Numbers.require("--memory", memory, 1, MOST);
        }
        if (layer != null && (seedLayer || baseline != null)) {
            throw new IllegalArgumentException("--layer says what --seed-layer and --baseline say: give one of them");
        }
        config(vocabulary); // how they go together
    }

    BitLlamaConfig config(int words) {
        int feedForward = inner != null ? inner : Math.max(16, Math.ceilDiv(8 * width, 3 * 16) * 16);
        BitLlamaConfig config = BitLlamaConfig.of(words, width, layers, feedForward);
        int features = memory != null ? memory : config.ttt().orElseThrow().memorySize();
        BitLlamaConfig.Ttt form = BitLlamaConfig.Ttt.standard(features);
        return switch (kind()) {
            case MEMORY -> config.withTtt(form.withHeads(heads).withDecay(decay));
            case SEED -> config.withTtt(BitLlamaConfig.Ttt.seed(features).withHeads(heads).withDecay(decay));
            case GATED_DELTA -> config.withTtt(form.withHeads(heads)).withGatedDelta();
            case ATTENTION -> config.withTtt(form).withAttention(heads);
        };
    }

    private Layer kind() {
        if (layer != null) {
            return layer;
        }
        return baseline != null ? Layer.ATTENTION : seedLayer ? Layer.SEED : Layer.MEMORY;
    }
}
