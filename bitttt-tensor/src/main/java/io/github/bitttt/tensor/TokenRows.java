package io.github.bitttt.tensor;

import java.util.Arrays;
import java.util.Objects;

/**
 * A row of numbers for every token that was read: grows by blocks of {@value #BLOCK} tokens, and nothing that is there is moved.
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

    /** Takes {@value #BLOCK} rows away behind the first few. Those few are copied; the others stay in their blocks, of which there is one less.
     *
     * @param first rows that stay in front, fewer than {@value #BLOCK}; all rows are at least {@value #BLOCK} more */
    public void drop(int first) {
        Objects.checkIndex(first, BLOCK);
        Objects.checkFromIndexSize(first, BLOCK, rows);
        float[] oldest = blocks[0];
        for (int i = 0; i < (first == 0 ? 0 : keys ? columns : 1); i++) {
            // By columns the first rows lie in front of each column, else in front of the block.
            System.arraycopy(oldest, i * BLOCK, blocks[1], i * BLOCK, keys ? first : first * columns);
        }
        int used = Math.ceilDiv(rows, BLOCK);
        System.arraycopy(blocks, 1, blocks, 0, used - 1);
        blocks[used - 1] = oldest; // its room is used again
        rows -= BLOCK;
    }

    /** Turns numbers of keys as points of the plane: i and i + m/2 of each head, for i below m/2.
     *
     * @param first row that is turned, as are all behind it
     * @param width w, of a head, a divisor of the columns
     * @param cos   of the angle of each pair, [m/2], where m is w or less
     * @param sin   of the same */
    public void turn(int first, int width, float[] cos, float[] sin) {
        if (!keys || columns % width != 0 || width % 2 != 0) {
            throw new IllegalArgumentException("heads of an even width are turned, of keys of " + columns
                    + " columns, got " + width + (keys ? "" : " of rows that are no keys"));
        }
        for (int row = first; row < rows; row += BLOCK - row % BLOCK) {
            int to = Math.min(BLOCK, rows - row / BLOCK * BLOCK);
            turn(blocks[row / BLOCK], row % BLOCK, to, width, cos, sin);
        }
    }

    private void turn(float[] block, int from, int to, int width, float[] cos, float[] sin) {
        int half = cos.length;
        for (int i = 0; i < columns / width * half; i++) {
            int pair = i % half;
            int x = (i / half * width + pair) * BLOCK;
            int y = x + half * BLOCK;
            for (int token = from; token < to; token++) {
                float before = block[x + token];
                block[x + token] = before * cos[pair] - block[y + token] * sin[pair];
                block[y + token] = block[y + token] * cos[pair] + before * sin[pair];
            }
        }
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
