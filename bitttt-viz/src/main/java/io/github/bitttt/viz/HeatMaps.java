package io.github.bitttt.viz;

import io.github.bitttt.nn.MixerState;
import java.awt.Color;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** Matrices as heat maps: blue below zero, white at zero, orange above. */
public final class HeatMaps {
    private static final int MARGIN = 12;
    private static final int TITLE = 30;
    private static final int CAPTION = 22;
    private static final int BAR = 12;

    private HeatMaps() {
    }

    /**
     * A matrix with what is written about it.
     *
     * @param title   above it
     * @param values  [rows, columns] in row order
     * @param rows    at least 1
     * @param columns at least 1
     */
    public record Matrix(String title, float[] values, int rows, int columns) {
        /** Checks the shape. */
        public Matrix {
            if (rows < 1 || columns < 1 || values.length != rows * columns) {
                throw new IllegalArgumentException("a heat map [" + rows + ", " + columns + "] takes " + rows * columns
                        + " values, got " + values.length);
            }
            values = values.clone();
        }

        /** The numbers.
         *  @return a copy */
        @Override
        public float[] values() {
            return values.clone();
        }

        /** Of its picture, fitted in a square. */
        private int height(int size) {
            return Math.max(1, size * rows / Math.max(rows, columns));
        }

        private float largest() {
            float largest = 0;
            for (float value : values) {
                largest = Math.max(largest, Math.abs(value));
            }
            return largest;
        }

        /** W of one head of a memory.
         *
         * @param title  above it
         * @param memory as {@code Session.memories()} gives it for a memory layer
         * @param heads  H
         * @param head   from 0
         * @return d x d numbers */
        public static Matrix of(String title, MixerState<float[]> memory, int heads, int head) {
            return of(title, memory, heads, head, 0);
        }

        /** W of one head of a memory that is not square.
         *
         * @param title   above it
         * @param memory  as {@code Session.memories()} gives it for a memory layer or a gated delta layer
         * @param heads   H
         * @param head    from 0
         * @param columns width of a key; 0 for a square
         * @return its numbers */
        public static Matrix of(String title, MixerState<float[]> memory, int heads, int head, int columns) {
            float[] weights = memory.learned().orElseThrow(() -> new IllegalArgumentException(
                    title + ": attention has no W to show, only keys and values"));
            if (head < 0 || head >= heads) {
                throw new IllegalArgumentException("head must be 0 to " + (heads - 1) + ", got " + head);
            }
            int elements = weights.length / heads;
            int width = columns == 0 ? (int) Math.round(Math.sqrt(elements)) : columns;
            float[] w = new float[elements];
            System.arraycopy(weights, head * elements, w, 0, elements);
            return new Matrix(title, w, elements / width, width);
        }
    }

    /** One matrix, its colours scaled to its largest value.
     *
     * @param matrix what to draw
     * @param size   of the square that it is fitted in, in pixels
     * @return its picture, with a scale */
    public static Picture of(Matrix matrix, int size) {
        return strip(List.of(matrix), size, 1);
    }

    /** Matrices side by side with one scale of colours, so that they can be compared.
     *
     * @param matrices from left to right
     * @param size     of the square that each is fitted in, in pixels
     * @param columns  of a row
     * @return one picture */
    public static Picture strip(List<Matrix> matrices, int size, int columns) {
        float largest = (float) matrices.stream().mapToDouble(Matrix::largest).max().orElse(0);
        float scale = largest == 0 ? 1 : largest;
        int height = matrices.stream().mapToInt(matrix -> matrix.height(size)).max().orElse(size);
        List<Picture> parts = new ArrayList<>();
        for (Matrix matrix : matrices) {
            parts.add(new Picture(size + 2 * MARGIN, height + TITLE + MARGIN,
                    graphics -> draw(graphics, matrix, size, scale)));
        }
        Picture maps = Picture.grid(columns, parts);
        Picture bar = bar(maps.width(), scale);
        return new Picture(maps.width(), maps.height() + bar.height(), graphics -> {
            maps.draw(graphics);
            graphics.translate(0, maps.height());
            bar.draw(graphics);
            graphics.translate(0, -maps.height());
        });
    }

    private static void draw(Graphics2D graphics, Matrix matrix, int size, float scale) {
        graphics.setFont(Palette.TEXT);
        graphics.setColor(Palette.INK);
        centred(graphics, matrix.title, MARGIN + size / 2, TITLE - 9);
        int width = Math.max(1, size * matrix.columns / Math.max(matrix.rows, matrix.columns));
        int height = matrix.height(size);
        int left = MARGIN + (size - width) / 2;
        for (int row = 0; row < matrix.rows; row++) {
            int top = height * row / matrix.rows;
            int bottom = height * (row + 1) / matrix.rows;
            for (int column = 0; column < matrix.columns; column++) {
                int from = width * column / matrix.columns;
                int to = width * (column + 1) / matrix.columns;
                graphics.setColor(Palette.diverging(matrix.values[row * matrix.columns + column] / scale));
                graphics.fillRect(left + from, TITLE + top, to - from, bottom - top);
            }
        }
        graphics.setColor(Palette.RULE);
        graphics.drawRect(left - 1, TITLE - 1, width + 1, height + 1);
    }

    private static Picture bar(int width, float scale) {
        int length = Math.min(260, width - 2 * MARGIN);
        int left = (width - length) / 2;
        return new Picture(width, BAR + CAPTION + MARGIN, graphics -> {
            IntStream.range(0, length).forEach(x -> {
                Color colour = Palette.diverging(2.0 * x / (length - 1) - 1);
                graphics.setColor(colour);
                graphics.fillRect(left + x, 0, 1, BAR);
            });
            graphics.setColor(Palette.RULE);
            graphics.drawRect(left, 0, length, BAR);
            graphics.setColor(Palette.INK);
            graphics.setFont(Palette.SMALL);
            int y = BAR + 14;
            graphics.drawString(number(-scale), left, y);
            centred(graphics, "0", left + length / 2, y);
            FontMetrics metrics = graphics.getFontMetrics();
            graphics.drawString(number(scale), left + length - metrics.stringWidth(number(scale)), y);
        });
    }

    private static String number(float value) {
        return String.format(Locale.ROOT, "%.3g", value);
    }

    private static void centred(Graphics2D graphics, String text, int x, int y) {
        graphics.drawString(text, x - graphics.getFontMetrics().stringWidth(text) / 2, y);
    }
}
