package io.github.bitttt.train;

import java.util.Arrays;

/** The tokens of a text that is learned from or measured, and which of them count as targets. Immutable. */
public final class TrainingText {
    private final int[] ids;
    private final boolean[] counted;

    private TrainingText(int[] ids, boolean[] counted) {
        this.ids = ids;
        this.counted = counted;
    }

    /** A text of which every token counts.
     *
     * @param ids its tokens
     * @return the text */
    public static TrainingText of(int... ids) {
        boolean[] counted = new boolean[ids.length];
        Arrays.fill(counted, true);
        return new TrainingText(ids.clone(), counted);
    }

    /** A text of which some tokens are read only: they are inputs, but how well they are predicted does not matter.
     *
     * @param ids     its tokens
     * @param counted for each of them, whether it counts as a target
     * @return the text */
    public static TrainingText of(int[] ids, boolean[] counted) {
        if (ids.length != counted.length) {
            throw new IllegalArgumentException(
                    "counted must say yes or no for each of " + ids.length + " tokens, got " + counted.length);
        }
        return new TrainingText(ids.clone(), counted.clone());
    }

    /** How long it is.
     *  @return tokens, those that do not count included */
    public int length() {
        return ids.length;
    }

    int id(int position) {
        return ids[position];
    }

    /** The weight of a token as a target: 1 or 0. */
    int weight(int position) {
        return counted[position] ? 1 : 0;
    }

    /** Tokens that count as targets; the first one never does, nothing comes before it. */
    long targets() {
        long count = 0;
        for (int i = 1; i < counted.length; i++) {
            count += counted[i] ? 1 : 0;
        }
        return count;
    }

    @Override
    public String toString() {
        return "TrainingText[" + ids.length + " tokens, " + targets() + " of them targets]";
    }
}
