package io.github.bitttt.tensor.internal;

/**
 * The scales of some rows of a matrix, one for each group of inputs of a row.
 *
 * @param size     inputs of a group
 * @param scales   [groups, all rows], never written
 * @param allRows  of the matrix
 * @param firstRow of these rows
 */
public record GroupScales(int size, float[] scales, int allRows, int firstRow) {
    /** How many groups a row has.
     *  @return at least 1 */
    public int groups() {
        return scales.length / allRows;
    }

    /** One scale.
     *
     * @param row   of these rows
     * @param group of the row
     * @return its scale */
    public float scale(int row, int group) {
        return scales[group * allRows + firstRow + row];
    }
}
