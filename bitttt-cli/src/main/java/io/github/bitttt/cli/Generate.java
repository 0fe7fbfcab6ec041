package io.github.bitttt.cli;

import io.github.bitttt.llama.generate.Generator;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Sampler;
import io.github.bitttt.llama.generate.SamplerOptions;
import io.github.bitttt.llama.generate.Session;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
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
    private Program program;

    @Option(names = "--prompt", preprocessor = AttachedText.class, description = "What to go on with (default: ${DEFAULT-VALUE}).")
    private String prompt = "Once upon a time";
    @Option(names = "--tokens", defaultValue = "300", description = "The most tokens to write (default: ${DEFAULT-VALUE}).")
    private int tokens;
    @Option(names = "--temperature", defaultValue = "0.8", description = "0 takes the likeliest token (default: ${DEFAULT-VALUE}).")
    private double temperature;
    @Option(names = "--top-k", defaultValue = "12", description = "Only the k likeliest tokens; 0 for all (default: ${DEFAULT-VALUE}).")
    private int topK;
    @Option(names = "--top-p", defaultValue = "0.9", description = "Only the likeliest tokens of this total probability (default: ${DEFAULT-VALUE}).")
    private double topP;
    @Option(names = "--repetition-penalty", defaultValue = "1", description = "Above 1, words already used become less likely.")
    private double repetitionPenalty;
    @Option(names = "--sequence-penalty", defaultValue = "0.8", description = "Above 0, words that would say again what was said become less likely, the longer it is the more (default: ${DEFAULT-VALUE}).")
    private double sequencePenalty;
    @Option(names = "--seed", defaultValue = "1", description = "Same seed, same story (default: ${DEFAULT-VALUE}).")
    private long seed;
    @Option(names = "--load-memory", paramLabel = "FILE", description = "Begin with a memory saved before.")
    private Path loadMemory;
    @Option(names = "--save-memory", paramLabel = "FILE", description = "Save what was learned from prompt and story.")
    private Path saveMemory;

    @Override
    public Integer call() throws Exception {
        Sampler sampler = new Sampler(new SamplerOptions(temperature, topK, topP, repetitionPenalty,
                sequencePenalty, seed));
        Program.checkTargets(saveMemory, null);
        Model loaded = model.load();
        StringBuilder text = new StringBuilder();
        try (Session session = loaded.newSession()) {
            if (loadMemory != null) {
                session.loadMemory(loadMemory);
            }
            program.say(prompt);
            Generator.Written written = new Generator(session, sampler).generate(prompt, tokens, piece -> {
                text.append(piece);
                program.say(piece);
            });
            program.messages().println();
            if (saveMemory != null) {
                session.saveMemory(saveMemory);
            }
            program.result(
                    Map.of("prompt", prompt, "text", text.toString(), "prompt_tokens", written.prompt(), "tokens",
                            written.tokens(), "end", written.end().name().toLowerCase(Locale.ROOT)));
        }
        return 0;
    }
}
