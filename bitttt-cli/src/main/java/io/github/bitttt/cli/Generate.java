package io.github.bitttt.cli;

import io.github.bitttt.llama.generate.Generation;
import io.github.bitttt.llama.generate.GenerationOptions;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.generate.Token;
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
    private AdaptOption adapt;
    @Mixin
    private WritingOptions writing;
    @Mixin
    private WindowOption window;
    @Mixin
    private Program program;

    @Option(names = "--prompt", preprocessor = AttachedText.class, description = "What to go on with (default: ${DEFAULT-VALUE}).")
    private String prompt = "Once upon a time";
    @Option(names = "--load-memory", paramLabel = "FILE", description = "Begin with a memory saved before.")
    private Path loadMemory;
    @Option(names = "--save-memory", paramLabel = "FILE", description = "Save what was learned from prompt and story.")
    private Path saveMemory;

    @Override
    public Integer call() throws Exception {
        writing.check();
        adapt.check();
        Program.checkTargets(saveMemory, null);
        StringBuilder text = new StringBuilder();
        try (Model loaded = model.load(); Session session = adapt.of(window.of(loaded)).newSession()) {
            GenerationOptions options = writing.of(loaded.defaults());
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
}
