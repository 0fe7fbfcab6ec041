package io.github.bitttt.train;

/**
 * When a run measures, saves and gives up.
 *
 * @param validationEvery  steps between validations
 * @param validationTokens the most tokens that a validation reads, evenly from the text; rounded to whole windows, one at least
 * @param checkpointEvery  steps between checkpoints
 * @param patience         validations without a new best after which training stops early; 0 for never
 * @param label            what the run is called in its logs and its model's metadata
 */
public record RunOptions(int validationEvery, long validationTokens, int checkpointEvery, int patience, String label) {
    /** Steps between validations unless somebody says otherwise. */
    public static final int VALIDATION_EVERY = 200;
    /** The most tokens of a validation unless somebody says otherwise: about a tenth of the work of the steps between. */
    public static final long VALIDATION_TOKENS = 200_000;
    /** Steps between checkpoints unless somebody says otherwise. */
    public static final int CHECKPOINT_EVERY = 100;
    /** All of a validation text, whatever its length. */
    public static final long ALL = Long.MAX_VALUE;

    /** The defaults, without a label. */
    public static final RunOptions DEFAULT = new RunOptions(VALIDATION_EVERY, VALIDATION_TOKENS, CHECKPOINT_EVERY, 0,
            "");

    /** Checks every value. */
    public RunOptions {
        Ranges.count("validation every", validationEvery, 1, Long.MAX_VALUE);
        Ranges.count("validation tokens", validationTokens, 1, Long.MAX_VALUE);
        Ranges.count("checkpoint every", checkpointEvery, 1, Long.MAX_VALUE);
        Ranges.count("patience", patience, 0, Long.MAX_VALUE);
    }

    /** The same with other intervals.
     *
     * @param validation steps between validations
     * @param checkpoint steps between checkpoints
     * @return new options */
    public RunOptions withIntervals(int validation, int checkpoint) {
        return new RunOptions(validation, validationTokens, checkpoint, patience, label);
    }

    /** The same with longer or shorter validations.
     *
     * @param most tokens, or {@link #ALL}
     * @return new options */
    public RunOptions withValidationTokens(long most) {
        return new RunOptions(validationEvery, most, checkpointEvery, patience, label);
    }

    /** The same with an early stop.
     *
     * @param validations without a new best, after which training stops; 0 for never
     * @return new options */
    public RunOptions withPatience(int validations) {
        return new RunOptions(validationEvery, validationTokens, checkpointEvery, validations, label);
    }

    /** The same under another name.
     *
     * @param name of the run
     * @return new options */
    public RunOptions withLabel(String name) {
        return new RunOptions(validationEvery, validationTokens, checkpointEvery, patience, name);
    }
}
