package io.github.bitttt.viz;

import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.measure.Evaluation;
import io.github.bitttt.llama.text.StreamDecoder;
import io.github.bitttt.llama.text.Tokenizer;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** A text whose tokens are tinted by how much they surprised the model: white 0 nats, full colour 8 nats or more. */
public final class TintedText {
    private static final double FULL = 8; // nats, about log V: as bad as guessing
    private static final int LINE = 24;
    private static final int MARGIN = 12;
    private static final int LEGEND = 34;

    private TintedText() {
    }

    /**
     * A token of a text.
     *
     * @param text     what it stands for
     * @param surprise -log of the probability that the model gave it, in nats
     */
    public record Token(String text, double surprise) {}

    private record Placed(Token token, int x, int line, int width) {}

    /** Reads a text.
     *
     * @param session that reads, and learns
     * @param text    any
     * @return its tokens; the first has no surprise, since nothing foretold it */
    public static List<Token> read(Session session, String text) {
        Tokenizer tokenizer = session.model().tokenizer();
        int[] ids = tokenizer.encode(text);
        double[] nats = Evaluation.surprises(session, ids);
        StreamDecoder decoder = tokenizer.streamDecoder();
        return IntStream.range(0, ids.length)
                .mapToObj(i -> new Token(decoder.next(ids[i]), i == 0 ? 0 : nats[i - 1])).toList();
    }

    /** Draws a text with its legend.
     *
     * @param title  above it
     * @param tokens in order
     * @param width  in pixels
     * @return its picture */
    public static Picture of(String title, List<Token> tokens, int width) {
        List<Placed> placed = place(tokens, width);
        int lines = placed.isEmpty() ? 1 : placed.getLast().line() + 1;
        int top = 34;
        return new Picture(width, top + lines * LINE + LEGEND, graphics -> {
            graphics.setColor(Palette.INK);
            graphics.setFont(Palette.TITLE);
            graphics.drawString(title, MARGIN, 22);
            graphics.setFont(Palette.TEXT);
            for (Placed part : placed) {
                graphics.setColor(Palette.rising(part.token().surprise() / FULL));
                graphics.fillRect(part.x(), top + part.line() * LINE, part.width(), LINE - 3);
                graphics.setColor(Palette.INK);
                graphics.drawString(visible(part.token().text()), part.x(), top + part.line() * LINE + 16);
            }
            legend(graphics, top + lines * LINE + 8);
        });
    }

    private static List<Placed> place(List<Token> tokens, int width) {
        Graphics2D graphics = new BufferedImage(1, 1, BufferedImage.TYPE_INT_RGB).createGraphics();
        FontMetrics metrics = graphics.getFontMetrics(Palette.TEXT);
        List<Placed> placed = new ArrayList<>();
        int x = MARGIN;
        int line = 0;
        for (Token token : tokens) {
            int advance = metrics.stringWidth(visible(token.text()));
            if (x > MARGIN && x + advance > width - MARGIN) {
                x = MARGIN;
                line++;
            }
            placed.add(new Placed(token, x, line, advance));
            x += advance;
            if (token.text().indexOf('\n') >= 0) {
                x = MARGIN;
                line++;
            }
        }
        graphics.dispose();
        return placed;
    }

    private static String visible(String text) {
        return text.replace("\n", " ");
    }

    private static void legend(Graphics2D graphics, int y) {
        graphics.setFont(Palette.SMALL);
        String low = "expected (0 nats)";
        String high = "surprising (" + (int) FULL + " nats or more)";
        FontMetrics metrics = graphics.getFontMetrics();
        int left = MARGIN + metrics.stringWidth(low) + 8;
        for (int i = 0; i < 100; i++) {
            graphics.setColor(Palette.rising(i / 99.0));
            graphics.fillRect(left + i, y, 1, 12);
        }
        graphics.setColor(Palette.INK);
        graphics.drawString(low, MARGIN, y + 10);
        graphics.drawString(high, left + 108, y + 10);
    }
}
