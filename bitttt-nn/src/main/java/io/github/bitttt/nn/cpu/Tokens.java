package io.github.bitttt.nn.cpu;

import io.github.bitttt.nn.TokenIds;

/** A stretch of token ids in an array of the caller's: one buffer of {@link CpuOps}, so that a token allocates nothing. */
final class Tokens implements TokenIds<Rows> {
    private int[] ids = new int[0];
    private int from;
    private int to;
    private final int[] single = new int[1];

    Tokens of(int id) {
        single[0] = id;
        return of(single, 0, 1);
    }

    Tokens of(int[] array, int first, int end) {
        ids = array;
        from = first;
        to = end;
        return this;
    }

    int count() {
        return to - from;
    }

    int id(int t) {
        return ids[from + t];
    }
}
