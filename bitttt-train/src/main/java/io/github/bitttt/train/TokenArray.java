package io.github.bitttt.train;

import java.io.Serializable;

/** A text in memory, which a cluster's workers may be sent. */
final class TokenArray implements TrainingText, Serializable {
    private static final long serialVersionUID = 1;

    private final int[] ids;
    private final boolean[] counted; // null where every token counts

    TokenArray(int[] ids, boolean[] counted) {
        this.ids = ids;
        this.counted = counted;
    }

    @Override
    public long length() {
        return ids.length;
    }

    @Override
    public int id(long position) {
        return ids[(int) position];
    }

    @Override
    public boolean counts(long position) {
        return counted == null || counted[(int) position];
    }

    @Override
    public String toString() {
        return "TrainingText[" + ids.length + " tokens, " + targets() + " of them targets]";
    }
}
