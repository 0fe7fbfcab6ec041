package io.github.bitttt.viz;

import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** Tables as pictures: the first column is text, the others are numbers and stand to the right. */
public final class Tables {
    private static final int ROW = 26;
    private static final int GAP = 28;
    private static final int MARGIN = 12;

    private Tables() {
    }

    /** A table.
     *
     * @param header one word or few for each column
     * @param rows   each of as many cells
     * @return its picture */
    public static Picture of(List<String> header, List<List<String>> rows) {
        for (List<String> row : rows) {
            if (row.size() != header.size()) {
                throw new IllegalArgumentException(
                        "every row takes " + header.size() + " cells, got " + row.size() + " in " + row);
            }
        }
        int[] widths = widths(header, rows);
        int width = Arrays.stream(widths).sum() + GAP * (widths.length - 1) + 2 * MARGIN;
        int height = ROW * (rows.size() + 1) + MARGIN;
        return new Picture(width, height, graphics -> {
            graphics.setFont(Palette.TEXT.deriveFont(Font.BOLD));
            draw(graphics, header, widths, 0);
            graphics.setColor(Palette.RULE);
            graphics.drawLine(MARGIN, ROW + 2, width - MARGIN, ROW + 2);
            graphics.setFont(Palette.TEXT);
            for (int row = 0; row < rows.size(); row++) {
                draw(graphics, rows.get(row), widths, ROW * (row + 1) + 4);
            }
        });
    }

    private static int[] widths(List<String> header, List<List<String>> rows) {
        Graphics2D graphics = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
        FontMetrics bold = graphics.getFontMetrics(Palette.TEXT.deriveFont(Font.BOLD));
        int[] widths = new int[header.size()];
        Stream.concat(Stream.of(header), rows.stream()).forEach(row -> {
            for (int column = 0; column < widths.length; column++) {
                widths[column] = Math.max(widths[column], bold.stringWidth(row.get(column)));
            }
        });
        graphics.dispose();
        return widths;
    }

    private static void draw(Graphics2D graphics, List<String> cells, int[] widths, int top) {
        graphics.setColor(Palette.INK);
        FontMetrics metrics = graphics.getFontMetrics();
        int x = MARGIN;
        for (int column = 0; column < widths.length; column++) {
            String cell = cells.get(column);
            int shift = column == 0 ? 0 : widths[column] - metrics.stringWidth(cell);
            graphics.drawString(cell, x + shift, top + 19);
            x += widths[column] + GAP;
        }
    }
}
