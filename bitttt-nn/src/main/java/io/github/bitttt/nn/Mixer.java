package io.github.bitttt.nn;

import java.util.List;
import java.util.function.Function;

/** The part of a block in which tokens learn of one another: (state, x) to (y, state'). */
public sealed interface Mixer permits TttLayer, GatedDelta, Attention {
    /** Reads rows.
     *
     * @param <T>   the reading's value
     * @param ops   the reading
     * @param state what is known so far, of this mixer's own type; spent by this call
     * @param x     [n, D], normed
     * @return y [n, D] and the state after the last row */
    <T> Mixed<T> forward(Ops<T> ops, MixerState<T> state, T x);

    /** What it is called in the paths of parameters and states.
     *  @return a short word */
    String name();

    /** What its state consists of: the one list that empty states, copies, files, the graph's inputs and sizes are made from.
     *  @return the parts in a fixed order */
    List<StatePart> stateParts();

    /** A state of this mixer's type.
     *
     * @param <T>    the reading's value
     * @param values what to hold for each part; asked in the order of {@link #stateParts}
     * @return the state */
    <T> MixerState<T> state(Function<StatePart, T> values);

    /** Its parameters.
     *  @return in the order of the computation */
    List<Param> params();
}
