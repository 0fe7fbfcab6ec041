package io.github.bitttt.viz;

import de.erichseifert.vectorgraphics2d.Processors;
import de.erichseifert.vectorgraphics2d.VectorGraphics2D;
import de.erichseifert.vectorgraphics2d.util.PageSize;
import io.github.bitttt.llama.io.AtomicFile;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import javax.imageio.ImageIO;
import org.knowm.xchart.internal.chartpart.Chart;

/** Something drawn, of fixed size, on white. Immutable. */
public final class Picture {
    private final int width;
    private final int height;
    private final Consumer<Graphics2D> painter;

    /** A picture.
     *
     * @param width   in pixels
     * @param height  in pixels
     * @param painter draws it, as often as it is asked */
    Picture(int width, int height, Consumer<Graphics2D> painter) {
        this.width = width;
        this.height = height;
        this.painter = painter;
    }

    /** A chart.
     *
     * @param chart of XChart, not changed afterwards
     * @return its picture */
    public static Picture of(Chart<?, ?> chart) {
        return new Picture(chart.getWidth(), chart.getHeight(),
                graphics -> chart.paint(graphics, chart.getWidth(), chart.getHeight()));
    }

    /** Pictures in rows.
     *
     * @param columns  of a row
     * @param pictures from left to right, row by row
     * @return one picture */
    public static Picture grid(int columns, List<Picture> pictures) {
        if (columns < 1 || pictures.isEmpty()) {
            throw new IllegalArgumentException("a grid takes at least 1 column and 1 picture, got " + columns + " and "
                    + pictures.size());
        }
        int cellWidth = pictures.stream().mapToInt(picture -> picture.width).max().getAsInt();
        int cellHeight = pictures.stream().mapToInt(picture -> picture.height).max().getAsInt();
        int across = Math.min(columns, pictures.size());
        List<Picture> all = List.copyOf(pictures);
        return new Picture(across * cellWidth, Math.ceilDiv(all.size(), across) * cellHeight, graphics -> {
            for (int i = 0; i < all.size(); i++) {
                int x = i % across * cellWidth;
                int y = i / across * cellHeight;
                graphics.translate(x, y);
                all.get(i).draw(graphics);
                graphics.translate(-x, -y);
            }
        });
    }

    /** Its pixels, which every Java notebook shows when they are a cell's last expression.
     *  @return a new image */
    public BufferedImage image() {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        try {
            graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
            graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
            paint(graphics);
        } finally {
            graphics.dispose();
        }
        return image;
    }

    /** Draws it without its background, the upper left corner at the origin. */
    void draw(Graphics2D graphics) {
        painter.accept(graphics);
    }

    private void paint(Graphics2D graphics) {
        graphics.setColor(Color.WHITE);
        graphics.fillRect(0, 0, width, height);
        draw(graphics);
    }

    /** Writes a file, whole or not at all.
     *
     * @param file whose name ends in .png or .svg
     * @throws IOException if it cannot be written */
    public void save(Path file) throws IOException {
        check(file);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        if (isSvg(file)) {
            bytes.writeBytes(svg());
        } else {
            ImageIO.write(image(), "png", bytes);
        }
        AtomicFile.write(file, bytes.toByteArray());
    }

    /** What can be known of a picture's file before the work that it is to show: its kind, and that it can be written.
     *
     * @param file that {@link #save} will be asked for
     * @throws IOException if it would refuse; {@code IllegalArgumentException} if the name ends otherwise */
    public static void check(Path file) throws IOException {
        if (!isSvg(file) && !name(file).endsWith(".png")) {
            throw new IllegalArgumentException("a picture's file ends in .png or .svg, got " + file);
        }
        AtomicFile.check(file);
    }

    private static boolean isSvg(Path file) {
        return name(file).endsWith(".svg");
    }

    private static String name(Path file) {
        return file.toString().toLowerCase(Locale.ROOT);
    }

    private byte[] svg() throws IOException {
        VectorGraphics2D graphics = new VectorGraphics2D();
        paint(graphics);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Processors.get("svg").getDocument(graphics.getCommands(), new PageSize(width, height)).writeTo(bytes);
        return bytes.toByteArray();
    }

    /** Its width.
     *  @return pixels */
    public int width() {
        return width;
    }

    /** Its height.
     *  @return pixels */
    public int height() {
        return height;
    }

    @Override
    public String toString() {
        return "Picture[" + width + " x " + height + "]";
    }
}
