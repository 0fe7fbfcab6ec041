package io.github.bitttt.nn;

import java.util.List;
import java.util.stream.Stream;

/**
 * One layer of Bit-Llama: h = x + ttt(norm1 x); y = h + mlp(norm2 h).
 *
 * @param norm1 before the memory
 * @param ttt   the memory
 * @param norm2 before the feed-forward layer
 * @param mlp   the feed-forward layer
 */
public record Block(RmsNorm norm1, TttLayer ttt, RmsNorm norm2, SwiGlu mlp) {

    /** Reads rows.
     *
     * @param <T>    the reading's value
     * @param ops    the reading
     * @param memory what the TTT layer knows so far; spent by this call
     * @param x      [n, D]
     * @return y [n, D] and the memory after the last row */
    public <T> TttLayer.Mixed<T> forward(Ops<T> ops, Memory<T> memory, T x) {
        TttLayer.Mixed<T> mixed = ttt.forward(ops, memory, norm1.forward(ops, x));
        T h = ops.add(x, mixed.output());
        return ops.mixed(ops.add(h, mlp.forward(ops, norm2.forward(ops, h))), mixed.memory());
    }

    /** Its parameters, in the order of the computation.
     *  @return those of its parts */
    public List<Param> params() {
        return Stream.of(norm1.params(), ttt.params(), norm2.params(), mlp.params()).flatMap(List::stream).toList();
    }
}
