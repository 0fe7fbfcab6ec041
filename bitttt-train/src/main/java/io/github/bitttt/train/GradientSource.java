package io.github.bitttt.train;

import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import java.util.SequencedMap;
import java.util.function.BiConsumer;

/**
 * Where gradients come from: {@linkplain LocalGradients a graph in this process}, or the machines of a cluster. The loop of
 * {@link Trainer} is the same over each. For one thread; close it.
 */
public interface GradientSource extends AutoCloseable {
    /** Steps that one gradient stands for: more than one where machines train by themselves before they agree; then the gradient
     * is their mean change, start less end.
     *
     * @return at least 1 */
    default int stepsAtOnce() {
        return 1;
    }

    /** Loss and gradient.
     *
     * @param masters at which
     * @param step    the first step that the gradient stands for, from 0
     * @param into    receives the gradient
     * @return mean cross entropy before each step, over the targets that count
     * @throws InterruptedException if the thread is interrupted; what the source remembers is as before the call */
    double gradient(SequencedMap<Param, float[]> masters, long step, SequencedMap<Param, float[]> into)
            throws InterruptedException;

    /** Measures weights on a text, read as in training.
     *
     * @param weights that are measured
     * @param text    with at least one target
     * @param tokens  the most to read, evenly from the text
     * @return nats per token that counts
     * @throws InterruptedException if the thread is interrupted */
    double evaluate(Weights weights, TrainingText text, long tokens) throws InterruptedException;

    /** Every array that a run must keep to go on, under a name of its own.
     *
     * @param parts takes the arrays themselves */
    default void state(BiConsumer<String, float[]> parts) {
    }

    /** Goes on after a number of steps, with arrays that the caller restored.
     *
     * @param step steps made so far */
    default void resumeAt(long step) {
    }

    @Override
    void close();
}
