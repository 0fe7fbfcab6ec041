package io.github.bitttt.nn;

import java.util.List;
import java.util.stream.Stream;

/**
 * One layer of Bit-Llama: h = x + mixer(norm1 x); y = h + mlp(norm2 h).
 *
 * @param norm1 before the mixer
 * @param mixer a memory, or attention
 * @param norm2 before the feed-forward layer
 * @param mlp   the feed-forward layer
 */
public record Block(RmsNorm norm1, Mixer mixer, RmsNorm norm2, FeedForward mlp) {

    /** Reads rows.
     *
     * @param <T>   the reading's value
     * @param ops   the reading
     * @param state what the mixer knows so far; spent by this call
     * @param x     [n, D]
     * @return y [n, D] and the state after the last row */
    public <T> Mixed<T> forward(Ops<T> ops, MixerState<T> state, T x) {
        Mixed<T> mixed = mixer.forward(ops, state, norm1.forward(ops, x));
        T h = ops.add(x, ops.dropout(mixed.output()));
        T fed = ops.dropout(mlp.forward(ops, norm2.forward(ops, h)));
        return ops.mixed(ops.add(h, fed), mixed.state());
    }

    /** Its parameters, in the order of the computation.
     *  @return those of its parts */
    public List<Param> params() {
        return Stream.of(norm1.params(), mixer.params(), norm2.params(), mlp.params()).flatMap(List::stream).toList();
    }
}
