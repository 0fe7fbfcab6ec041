package io.github.bitttt.llama.train;

/** Training cannot go on: the loss or a gradient is not a finite number. */
public final class TrainingException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    /** Says where training ended.
     *
     * @param step         the step that failed, from 1
     * @param loss         its loss
     * @param norm         its gradient's norm
     * @param lastGoodLoss of the step before
     * @param rate         its learning rate */
    public TrainingException(long step, double loss, double norm, double lastGoodLoss, double rate) {
        super("step " + step + ": loss and gradient norm must be finite, got " + loss + " and " + norm
                + "; last good loss "
                + lastGoodLoss + " at learning rate " + rate + "; try a lower rate or a longer warm-up");
    }
}
