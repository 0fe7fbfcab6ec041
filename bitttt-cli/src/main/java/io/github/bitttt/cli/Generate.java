package io.github.bitttt.cli;

import io.github.bitttt.llama.generate.Generation;
import io.github.bitttt.llama.generate.GenerationOptions;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.generate.Token;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Tells a story, piece by piece as it comes. */
@Command(name = "generate", mixinStandardHelpOptions = true, description = "Go on with a prompt.")
final class Generate implements Callable<Integer> {
    @Mixin
    private ModelOption model;
    @Mixin
    private AdaptOption adapt;
    @Mixin
    private Program program;

    @Option(names = "--prompt", preprocessor = AttachedText.class, description = "What to go on with (default: ${DEFAULT-VALUE}).")
    private String prompt = "Once upon a time";
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
    @Option(names = "--seed", description = "Same seed, same story (default: 1).")
    private String seed;
    @Option(names = "--stop", paramLabel = "TEXT", description = "End before this text; may be given several times.")
    private List<String> stop = List.of();
    @Option(names = "--load-memory", paramLabel = "FILE", description = "Begin with a memory saved before.")
    private Path loadMemory;
    @Option(names = "--save-memory", paramLabel = "FILE", description = "Save what was learned from prompt and story.")
    private Path saveMemory;

    @Override
    public Integer call() throws Exception {
        options(GenerationOptions.DEFAULTS); // what is wrong with them is said before a model is loaded
        adapt.check();
        Program.checkTargets(saveMemory, null);
        StringBuilder text = new StringBuilder();
        try (Model loaded = model.load(); Session session = adapt.of(loaded).newSession()) {
            GenerationOptions options = options(loaded.defaults());
            if (loadMemory != null) {
                session.loadMemory(loadMemory);
            }
            program.say(prompt);
            Generation generation = session.generate(prompt, options);
            for (Token token : generation) {
                text.append(token.text());
                program.say(token.text());
            }
            program.messages().println();
            if (saveMemory != null) {
                session.saveMemory(saveMemory);
            }
            program.result(Map.of("prompt", prompt, "text", text.toString(), "prompt_tokens",
                    generation.usage().promptTokens(), "tokens", generation.usage().tokens(), "end",
                    generation.finish().orElseThrow().name().toLowerCase(Locale.ROOT)));
        }
        return 0;
    }

    /** The model's defaults, and what the user named. */
    private GenerationOptions options(GenerationOptions defaults) {
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
