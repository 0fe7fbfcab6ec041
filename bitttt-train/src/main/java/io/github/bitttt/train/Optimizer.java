package io.github.bitttt.train;

import io.github.bitttt.nn.Param;
import java.util.SequencedMap;
import java.util.function.BiConsumer;

/** How a gradient, or what stands for one, changes the masters. For one thread. */
public interface Optimizer {
    /** One step.
     *
     * @param masters   changed in place
     * @param gradients of the same parameters
     * @param norm      their {@linkplain AdamW#norm global norm}
     * @param rate      learning rate */
    void step(SequencedMap<Param, float[]> masters, SequencedMap<Param, float[]> gradients, double norm, double rate);

    /** Every array that a run must keep to go on, under a name of its own.
     *
     * @param parts takes the arrays themselves */
    void state(BiConsumer<String, float[]> parts);

    /** Goes on after a number of steps, with arrays that the caller restored.
     *
     * @param step steps made so far */
    void resumeAt(long step);
}
