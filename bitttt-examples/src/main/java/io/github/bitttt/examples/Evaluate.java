package io.github.bitttt.examples;

import io.github.bitttt.llama.generate.Evaluation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How well a model predicts a text. */
@Command(name = "evaluate", mixinStandardHelpOptions = true, description = "Measure a model on a text.")
final class Evaluate implements Callable<Integer> {
    @Mixin
    private ModelOption model;
    @Mixin
    private Program program;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "UTF-8 text, <|endoftext|> between documents.")
    private Path data;
    @Option(names = "--reset", defaultValue = "document", paramLabel = "document|never|N", description = "When the memory is emptied (default: ${DEFAULT-VALUE}).")
    private String reset;

    @Override
    public Integer call() throws Exception {
        Evaluation.Reset rule = rule(reset);
        Evaluation evaluation = Evaluation.of(model.load(), Files.readString(data), rule);
        if (!program.json()) {
            program.out().println(evaluation);
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("nats_per_token", evaluation.natsPerToken());
        result.put("bits_per_byte", evaluation.bitsPerByte());
        result.put("tokens", evaluation.tokens());
        result.put("bytes", evaluation.bytes());
        result.put("tokens_per_second", evaluation.tokensPerSecond());
        program.result(result);
        return 0;
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
