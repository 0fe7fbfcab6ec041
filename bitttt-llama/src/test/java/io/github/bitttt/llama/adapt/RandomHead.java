package io.github.bitttt.llama.adapt;

import java.util.SplittableRandom;

/** A head of normal rows, and hidden rows that know something of the next token. */
final class RandomHead implements Head {
    final float[][] rows;

    RandomHead(int tokens, int width, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        rows = new float[tokens][width];
        for (float[] row : rows) {
            for (int i = 0; i < width; i++) {
                row[i] = (float) (0.3 * random.nextGaussian());
            }
        }
    }

    @Override
    public int tokens() {
        return rows.length;
    }

    @Override
    public int width() {
        return rows[0].length;
    }

    @Override
    public void row(int token, float[] row) {
        System.arraycopy(rows[token], 0, row, 0, row.length);
    }

    float[] logits(float[] hidden) {
        float[] logits = new float[rows.length];
        logits(hidden, logits);
        return logits;
    }

    void logits(float[] hidden, float[] to) {
        for (int word = 0; word < rows.length; word++) {
            float sum = 0;
            for (int i = 0; i < hidden.length; i++) {
                sum += rows[word][i] * hidden[i];
            }
            to[word] = sum;
        }
    }

    /** The row of a context: a fixed normal one, as a model that was trained on other texts would have it. */
    void hidden(int context, float[] to) {
        SplittableRandom random = new SplittableRandom(context * 77L);
        for (int i = 0; i < to.length; i++) {
            to[i] = (float) random.nextGaussian();
        }
    }
}
