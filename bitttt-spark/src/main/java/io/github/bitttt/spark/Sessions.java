package io.github.bitttt.spark;

import java.io.Serializable;

/** Whose memory a row is read with. */
public sealed interface Sessions extends Serializable {
    /** Each row begins with an empty memory. */
    record PerRow() implements Sessions {}

    /** A memory follows a key: it has learned from all earlier rows of the same key.
     *
     * @param key   name of the column with the key
     * @param order name of the column that orders the rows of a key; make it unique, or their order is anybody's */
    record PerKey(String key, String order) implements Sessions {}

    /** Each row begins with an empty memory.
     *  @return the choice */
    static Sessions perRow() {
        return new PerRow();
    }

    /** A memory follows a key.
     *
     * @param key   name of the column with the key
     * @param order name of the column that orders the rows of a key
     * @return the choice */
    static Sessions perKey(String key, String order) {
        return new PerKey(key, order);
    }
}
