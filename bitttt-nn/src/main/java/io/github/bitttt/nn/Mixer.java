package io.github.bitttt.nn;

import java.util.List;

/** The part of a block in which tokens learn of one another: (memory, x) to (y, memory'). */
public sealed interface Mixer permits TttLayer, Attention {
    /** Reads rows.
     *
     * @param <T>    the reading's value
     * @param ops    the reading
     * @param memory what is known so far; spent by this call
     * @param x      [n, D], normed
     * @return y [n, D] and the memory after the last row */
    <T> TttLayer.Mixed<T> forward(Ops<T> ops, Memory<T> memory, T x);

    /** Its parameters.
     *  @return in the order of the computation */
    List<Param> params();
}
