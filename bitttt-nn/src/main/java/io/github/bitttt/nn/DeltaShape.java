package io.github.bitttt.nn;

/**
 * The heads of a delta rule. Value head n has a memory W [dv, dk] of its own and the key and query of head n div (H / G).
 *
 * @param heads      H, heads of values
 * @param keyHeads   G, heads of keys and queries; a divisor of H
 * @param valueWidth dv
 * @param keyWidth   dk
 */
public record DeltaShape(int heads, int keyHeads, int valueWidth, int keyWidth) {
    /** Checks the sizes. */
    public DeltaShape {
        if (heads < 1 || valueWidth < 1 || keyWidth < 1) {
            throw new IllegalArgumentException("a memory has heads and widths of at least 1, got " + heads + ", "
                    + valueWidth + " and " + keyWidth);
        }
        if (keyHeads < 1 || heads % keyHeads != 0) {
            throw new IllegalArgumentException(
                    "heads of keys must divide the " + heads + " of values, got " + keyHeads);
        }
    }

    /** Heads that have keys of their own, as wide as values.
     *
     * @param heads H
     * @param width d
     * @return the shape */
    public static DeltaShape square(int heads, int width) {
        return new DeltaShape(heads, heads, width, width);
    }

    /** Numbers of a row of keys or queries.
     *  @return G dk */
    public int keys() {
        return keyHeads * keyWidth;
    }

    /** Numbers of a row of values or answers.
     *  @return H dv */
    public int values() {
        return heads * valueWidth;
    }
}
