package io.github.bitttt.nn.naive;

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

    /** Token ids as a value.
     *
     * @param ids [n]
     * @return [n, 1] */
    public static Doubles tokens(int... ids) {
        double[][] rows = new double[ids.length][];
        for (int t = 0; t < ids.length; t++) {
            rows[t] = new double[]{ids[t]};
        }
        return new Doubles(rows);
    }

    /** Zeros.
     *
     * @param n       rows
     * @param columns of each
     * @return [n, columns] */
    public static Doubles zeros(int n, int columns) {
        return new Doubles(new double[n][columns]);
    }
}
