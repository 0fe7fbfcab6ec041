package io.github.bitttt.llama.measure;

import io.github.bitttt.llama.generate.Session;

/**
 * Which lines of a log stand out: those that surprise a session more than nearly all of the lines before.
 *
 * <p>A line's share is (r + 1) / (n + 1), where n lines were read before, at most as many as the window has, and r of them surprised as much
 * or more. Were all lines of one kind, then each share would be as likely as any other; so a share of 1% shows one line of a hundred of such
 * a log, whatever the measure of surprise is. It needs 99 lines before it can show one. For one thread.
 */
public final class LogWatch {
    private static final int MOST_LINES = 1 << 20;
    static final int MORE_TOKENS = 4;

    private final Session session;
    private final double share;
    private final double[] last; // surprises
    private final int[] lineFeed;
    private long lines;
    private boolean begun;

    /** A line that was read.
     *
     * @param number    from 1
     * @param text      without its end
     * @param tokens    that it has, its end among them
     * @param surprise  nats, a mean over its tokens in which large ones count for more
     * @param share     of it and the lines before, those that surprise as much
     * @param standsOut whether that is little enough */
    public record Line(long number, String text, int tokens, double surprise, double share, boolean standsOut) {}

    /** A watch that has seen no line.
     *
     * @param session that reads and learns, its model with a tokenizer; it stays the caller's
     * @param window  lines that each one is compared with
     * @param share   at which a line stands out: above 0, 1 for all */
    public LogWatch(Session session, int window, double share) {
        check(window, share);
        this.session = session;
        this.share = share;
        last = new double[window];
        lineFeed = session.model().tokenizer().encode("\n");
    }

    /** What the constructor takes, known before a model is loaded.
     *
     * @param window lines
     * @param share  of them
     * @throws IllegalArgumentException if one of them is out of range */
    public static void check(int window, double share) {
        if (window < 1 || window > MOST_LINES) {
            throw new IllegalArgumentException("window must be 1 to " + MOST_LINES + " lines, got " + window);
        }
        if (!(share > 0 && share <= 1)) {
            throw new IllegalArgumentException("share must be above 0 and at most 1, got " + share);
        }
        if (share * (window + 1.0) < 1) {
            throw new IllegalArgumentException("a share of " + share + " of a window of " + window
                    + " lines is less than one line; take a larger window or share");
        }
    }

    /** Reads a line, and learns it.
     *
     * @param text without its end
     * @return how it surprised */
    public Line read(String text) {
        if (!begun) {
            session.feed(lineFeed); // so that the first token of the first line follows something
            begun = true;
        }
        int[] ids = session.model().tokenizer().encodeAsText(text + "\n");
        double surprise = surprise(ids);
        int before = (int) Math.min(lines, last.length);
        int asMuch = 0;
        for (int i = 0; i < before; i++) {
            asMuch += last[i] >= surprise ? 1 : 0;
        }
        last[(int) (lines++ % last.length)] = surprise;
        return new Line(lines, text, ids.length, surprise, (asMuch + 1.0) / (before + 1),
                asMuch + 1 <= share * (before + 1));
    }

    private double surprise(int[] ids) {
        double[] nats = new double[ids.length];
        nats[0] = Evaluation.surprise(session.logits(), ids[0]);
        session.feed(ids, (index, logits) -> {
            if (index + 1 < nats.length) {
                nats[index + 1] = Evaluation.surprise(logits, ids[index + 1]);
            }
        });
        return surprise(nats);
    }

    /** S = (sum of the tokens' nats^3 / (tokens + {@value #MORE_TOKENS}))^(1/3): a long line is no stranger than a short one, a few strange words
     * in it count for more than many that are a little so, and one token alone does not decide. Found by measurement, see
     * docs/experiments/watch.md. */
    static double surprise(double[] nats) {
        double cubes = 0;
        for (double of : nats) {
            cubes += of * of * of;
        }
        return Math.cbrt(cubes / (nats.length + MORE_TOKENS));
    }

    /** Lines that were read.
     *  @return from 0 */
    public long lines() {
        return lines;
    }
}
