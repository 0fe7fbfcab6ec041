package io.github.bitttt.nn;

import java.util.List;

/** The part of a block that works on each token by itself. */
public sealed interface FeedForward permits GatedMlp, Experts {
    /** The layer's output.
     *
     * @param <T> the reading's value
     * @param ops the reading
     * @param x   [n, D], normed
     * @return [n, D] */
    <T> T forward(Ops<T> ops, T x);

    /** Its parameters.
     *  @return in the order of the computation */
    List<Param> params();
}
