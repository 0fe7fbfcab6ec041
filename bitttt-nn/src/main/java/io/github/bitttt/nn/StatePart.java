package io.github.bitttt.nn;

import java.util.List;

/**
 * One named part of a mixer's state, for one stream.
 *
 * @param name  in files, behind the path of the layer
 * @param shape its dimensions; of a part that {@linkplain #grows grows}, those of one token
 * @param kind  how it is held
 * @param most  the largest magnitude that it can have; what a file says beyond that is wrong
 */
public record StatePart(String name, List<Integer> shape, Kind kind, double most) {

    /** How a part is held. */
    public enum Kind {
        /** Matrices [H, v, k] that the delta rule trains. */
        MATRICES,
        /** A row of numbers. */
        ROW,
        /** A row of heads [H, d], none longer than 1. */
        UNIT_HEADS,
        /** A row for every token that was read: [t, n]; empty at the start. */
        GROWING,
        /** The same, where what is asked of the rows are inner products. */
        GROWING_KEYS
    }

    /** Checks the shape. */
    public StatePart {
        shape = List.copyOf(shape);
        if (kind == Kind.MATRICES && shape.size() != 3) {
            throw new IllegalArgumentException(name + ": matrices are [H, v, k], got shape " + shape);
        }
    }

    /** How many numbers it holds.
     *  @return in all, or for each token if it grows */
    public long numbers() {
        return shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
    }

    /** Whether it holds more after each token.
     *  @return true for {@link Kind#GROWING} and {@link Kind#GROWING_KEYS} */
    public boolean grows() {
        return kind == Kind.GROWING || kind == Kind.GROWING_KEYS;
    }
}
