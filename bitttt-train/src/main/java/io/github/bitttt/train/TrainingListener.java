package io.github.bitttt.train;

import java.nio.file.Path;

/** Hears what a training run does, on the run's own thread. */
public interface TrainingListener {
    /** A step was made.
     *  @param result what it was like */
    default void step(StepResult result) {
    }

    /** The validation text was measured.
     *
     * @param step steps made so far
     * @param loss mean cross entropy in nats per token
     * @param best whether this is the lowest so far */
    default void validation(long step, double loss, boolean best) {
    }

    /** A checkpoint is on disk.
     *
     * @param step   steps made so far
     * @param folder where */
    default void checkpoint(long step, Path folder) {
    }
}
