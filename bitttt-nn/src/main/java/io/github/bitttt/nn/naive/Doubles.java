package io.github.bitttt.nn.naive;

import io.github.bitttt.nn.TokenIds;

/**
 * Rows of doubles, the value of the naive reading. Instructions make new ones and never write to those they are given.
 *
 * @param rows one array for each row, all of one length
 */
public record Doubles(double[][] rows) {

    /** One row.
     *
     * @param row its elements
     * @return [1, n] */
    public static Doubles row(double... row) {
        return new Doubles(new double[][]{row});
    }

    /** Token ids.
     *
     * @param ids [n]
     * @return what {@code NaiveOps.embed} takes */
    public static TokenIds<Doubles> tokens(int... ids) {
        return new Tokens(ids.clone());
    }

    record Tokens(int[] ids) implements TokenIds<Doubles> {}

    /** Zeros.
     *
     * @param n       rows
     * @param columns of each
     * @return [n, columns] */
    public static Doubles zeros(int n, int columns) {
        return new Doubles(new double[n][columns]);
    }
}
