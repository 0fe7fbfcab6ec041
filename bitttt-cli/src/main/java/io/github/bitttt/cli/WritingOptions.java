package io.github.bitttt.cli;

import io.github.bitttt.llama.generate.GenerationOptions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import picocli.CommandLine.Option;

/** The options that say how a text is written. */
final class WritingOptions {
    @Option(names = "--tokens", description = "The most tokens to write (default: the model's; 300 of the zoo's).")
    private String tokens;
    @Option(names = "--temperature", description = "0 takes the likeliest token (default: the model's; 0.8 of the zoo's).")
    private String temperature;
    @Option(names = "--top-k", description = "Only the k likeliest tokens; 0 for all (default: the model's; 12 of the zoo's).")
    private String topK;
    @Option(names = "--top-p", description = "Only the likeliest tokens of this total probability (default: the model's; 0.9 of the zoo's).")
    private String topP;
    @Option(names = "--repetition-penalty", description = "Above 1, words already used become less likely (default: the model's; 1 of the zoo's).")
    private String repetitionPenalty;
    @Option(names = "--sequence-penalty", description = "Above 0, words that would say again what was said become less likely, the longer it is the more (default: the model's; 0.8 of the zoo's).")
    private String sequencePenalty;
    @Option(names = "--seed", description = "Same seed, same text (default: 1).")
    private String seed;
    @Option(names = "--stop", paramLabel = "TEXT", description = "End before this text; may be given several times.")
    private List<String> stop = List.of();

    /** Refuses wrong values before a model is loaded. */
    void check() {
        of(GenerationOptions.DEFAULTS);
    }

    /** The model's defaults, and what the user named. */
    GenerationOptions of(GenerationOptions defaults) {
        Map<String, String> named = new LinkedHashMap<>();
        named.put("max_new_tokens", tokens);
        named.put("temperature", temperature);
        named.put("top_k", topK);
        named.put("top_p", topP);
        named.put("repetition_penalty", repetitionPenalty);
        named.put("sequence_penalty", sequencePenalty);
        named.put("seed", seed);
        named.values().removeIf(Objects::isNull);
        GenerationOptions options = defaults.with(named);
        return stop.isEmpty() ? options : options.with("stop", stop);
    }
}
