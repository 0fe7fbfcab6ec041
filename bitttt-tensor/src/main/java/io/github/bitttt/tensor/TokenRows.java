package io.github.bitttt.tensor;

import java.util.Arrays;
import java.util.Objects;

/**
 * A row of numbers for every token that was read: grows by blocks of {@value #BLOCK} tokens, and nothing that is there is ever moved.
 *
 * <p>A block lies by tokens, or, where rows are keys, by columns: what is asked of keys are inner products, which then need no sum across
 * lanes. For one thread at a time.
 */
public final class TokenRows {
    /** Tokens of a block. */
    public static final int BLOCK = 64;

    private final int columns;
    private final boolean keys;
    private float[][] blocks = new float[0][];
    private int rows;

    /** No rows yet.
     *
     * @param columns of each, at least 1
     * @param keys    whether inner products are asked of them */
    public TokenRows(int columns, boolean keys) {
        if (columns < 1) {
            throw new IllegalArgumentException("columns must be at least 1, got " + columns);
        }
        Math.multiplyExact(columns, BLOCK);
        this.columns = columns;
        this.keys = keys;
    }

    /** Adds rows behind those that are there.
     *
     * @param x      holds them, in row order
     * @param offset of the first
     * @param n      how many */
    public void append(float[] x, int offset, int n) {
        Objects.checkFromIndexSize(offset, (long) n * columns, x.length);
        int needed = Math.ceilDiv(Math.addExact(rows, n), BLOCK);
        if (needed > blocks.length) {
            blocks = Arrays.copyOf(blocks, Math.max(needed, 2 * blocks.length)); // of references
        }
        for (int t = 0; t < n; t++, rows++) {
            int block = rows / BLOCK;
            if (blocks[block] == null) {
                blocks[block] = new float[columns * BLOCK];
            }
            put(x, offset + t * columns, blocks[block], rows % BLOCK);
        }
    }

    private void put(float[] x, int from, float[] block, int token) {
        if (!keys) {
            System.arraycopy(x, from, block, token * columns, columns);
            return;
        }
        for (int i = 0; i < columns; i++) {
            block[i * BLOCK + token] = x[from + i];
        }
    }

    /** All rows.
     *  @return a copy, [rows, columns] in row order */
    public float[] toArray() {
        float[] all = new float[Math.multiplyExact(rows, columns)];
        for (int row = 0; row < rows; row++) {
            float[] block = blocks[row / BLOCK];
            for (int i = 0; i < columns; i++) {
                all[row * columns + i] = block[keys ? i * BLOCK + row % BLOCK : row % BLOCK * columns + i];
            }
        }
        return all;
    }

    /** Overwrites all rows by any number of others.
     *
     * @param from [n, columns] in row order, copied */
    public void set(float[] from) {
        if (from.length % columns != 0) {
            throw new IllegalArgumentException("rows have " + columns + " numbers each, got " + from.length);
        }
        rows = 0;
        append(from, 0, from.length / columns);
    }

    /** Takes all rows away; their room is kept. */
    public void clear() {
        rows = 0;
    }

    /** Takes the last rows away; their room is kept.
     *
     * @param n how many stay, at most as many as there are */
    public void truncate(int n) {
        Objects.checkFromToIndex(0, n, rows);
        rows = n;
    }

    /** How many there are.
     *  @return from 0 */
    public int rows() {
        return rows;
    }

    /** The width of a row.
     *  @return its columns */
    public int columns() {
        return columns;
    }

    boolean areKeys() {
        return keys;
    }

    float[][] blocks() {
        return blocks;
    }

    @Override
    public String toString() {
        return "TokenRows[" + rows + ", " + columns + "]" + (keys ? ", keys" : "");
    }
}
