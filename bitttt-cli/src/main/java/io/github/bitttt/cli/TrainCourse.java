package io.github.bitttt.cli;

import io.github.bitttt.train.RunOptions;
import picocli.CommandLine.Option;

/** How long a run of {@code train} goes on, and what it says meanwhile. */
final class TrainCourse {
    @Option(names = "--tokens", description = "Tokens to train on (default: 1000000).")
    private long tokens = 1_000_000;
    @Option(names = "--seed", description = "Of first weights and order (default: 1).")
    private long seed = 1;
    @Option(names = "--order-seed", description = "Of the order of windows alone (default: the seed).")
    private Long orderSeed;
    @Option(names = "--label", preprocessor = AttachedText.class, description = "A name for logs and the model's metadata.")
    private String label = "";
    @Option(names = "--patience", paramLabel = "N", description = "Stop after N validations that are no better than the best; 0 for never (default: 0).")
    private int patience;
    @Option(names = "--validate-every", description = "Steps (default: " + RunOptions.VALIDATION_EVERY + ").")
    private int validateEvery = RunOptions.VALIDATION_EVERY;
    @Option(names = "--validation-tokens", description = "The most tokens that a validation reads, evenly from its text (default: "
            + RunOptions.VALIDATION_TOKENS + ").")
    private long validationTokens = RunOptions.VALIDATION_TOKENS;
    @Option(names = "--checkpoint-every", description = "Steps (default: " + RunOptions.CHECKPOINT_EVERY + ").")
    private int checkpointEvery = RunOptions.CHECKPOINT_EVERY;

    long tokens() {
        return tokens;
    }

    long seed() {
        return seed;
    }

    long orderSeed() {
        return orderSeed == null ? seed : orderSeed;
    }

    RunOptions run() {
        return new RunOptions(validateEvery, validationTokens, checkpointEvery, patience, label);
    }
}
