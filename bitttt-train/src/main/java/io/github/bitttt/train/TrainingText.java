package io.github.bitttt.train;

/**
 * The tokens of a text that is learned from or measured, and which of them count as targets. It does not change, and may be read by
 * several threads.
 */
public interface TrainingText {
    /** A text of which every token counts.
     *
     * @param ids its tokens
     * @return the text */
    static TrainingText of(int... ids) {
        return new TokenArray(ids.clone(), null);
    }

    /** A text of which some tokens are read only: they are inputs, but how well they are predicted does not matter.
     *
     * @param ids     its tokens
     * @param counted for each of them, whether it counts as a target
     * @return the text */
    static TrainingText of(int[] ids, boolean[] counted) {
        if (ids.length != counted.length) {
            throw new IllegalArgumentException(
                    "counted must say yes or no for each of " + ids.length + " tokens, got " + counted.length);
        }
        return new TokenArray(ids.clone(), counted.clone());
    }

    /** How long it is.
     *  @return tokens, those that do not count included */
    long length();

    /** A token.
     *
     * @param position from 0
     * @return its id */
    int id(long position);

    /** Whether a token counts as a target.
     *
     * @param position from 0
     * @return false for what is read only */
    boolean counts(long position);

    /** Tokens that count as targets; the first one never does, for nothing comes before it.
     *  @return how many */
    default long targets() {
        long count = 0;
        for (long i = 1; i < length(); i++) {
            count += counts(i) ? 1 : 0;
        }
        return count;
    }
}
