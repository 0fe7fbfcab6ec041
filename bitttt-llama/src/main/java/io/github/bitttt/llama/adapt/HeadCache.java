package io.github.bitttt.llama.adapt;

import io.github.bitttt.tensor.FloatOps;
import java.util.Arrays;

/**
 * Rows of the head as they were read last, one for each remainder of a token's id. The likeliest tokens are mostly the same ones, and a head
 * that lies by columns gives a single row slowly: 33 rows of one of 2,048 tokens touch nearly all of its bytes.
 */
final class HeadCache {
    private static final int PLACES = 1024;

    private final Head head;
    private final int width;
    private final int[] tokens; // of each place, -1 if there is none
    private final float[] rows; // [places, D]
    private final float[] row;

    HeadCache(Head head) {
        this.head = head;
        width = head.width();
        tokens = new int[Math.min(PLACES, head.tokens())];
        Arrays.fill(tokens, -1);
        rows = new float[Math.multiplyExact(tokens.length, width)];
        row = new float[width];
    }

    /** y += factor e(token). */
    void add(float factor, int token, float[] y) {
        int place = token % tokens.length;
        if (tokens[place] != token) {
            head.row(token, row);
            System.arraycopy(row, 0, rows, place * width, width);
            tokens[place] = token;
        }
        FloatOps.addScaled(factor, rows, place * width, y, 0, width);
    }
}
