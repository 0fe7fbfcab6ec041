package io.github.bitttt.llama.train;

/** Training cannot go on: the loss or a gradient is not a finite number. */
public final class TrainingException extends IllegalStateException {
    private static final long serialVersionUID = 1;

    TrainingException(long step, double loss, double norm, double lastGoodLoss, double rate) {
        super("step " + step + ": loss and gradient norm must be finite, got " + loss + " and " + norm
                + "; last good loss "
                + lastGoodLoss + " at learning rate " + rate + "; try a lower rate or a longer warm-up");
    }
}
