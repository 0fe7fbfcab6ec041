package io.github.bitttt.train;

import java.nio.file.Path;

/** Training cannot go on: the loss or a gradient is not a finite number. */
public final class TrainingException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    /** Says where training ended.
     *
     * @param step         the step that failed, from 1
     * @param loss         its loss
     * @param norm         its gradient's norm
     * @param lastGoodLoss of the step before; NaN for none
     * @param rate         its learning rate */
    public TrainingException(long step, double loss, double norm, double lastGoodLoss, double rate) {
        super("step " + step + ": loss and gradient norm must be finite, got " + loss + " and " + norm
                + "; last good loss " + (Double.isNaN(lastGoodLoss) ? "none yet" : lastGoodLoss) + " at learning rate "
                + rate + "; try a lower rate or a longer warm-up");
    }

    private TrainingException(String message, TrainingException cause) {
        super(message, cause);
    }

    /** The same, with where the last good state is. */
    TrainingException keeping(Path folder, long step) {
        return new TrainingException(getMessage() + "; " + folder + " keeps the state after step " + step, this);
    }
}
