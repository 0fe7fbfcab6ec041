package io.github.bitttt.llama.measure;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import java.util.Arrays;

/** What a memory is worth when a text is read again. */
public final class Rereading {
    private static final int READINGS = 3;

    private Rereading() {
    }

    /**
     * The surprise at a text that is read again.
     *
     * @param kept       nats per token of the first, second and third reading by one session
     * @param reset      the same with an empty memory before each
     * @param afterOther nats per token of the text read after another one: a control against mere warming up
     */
    public record Readings(double[] kept, double[] reset, double afterOther) {
        @Override
        public String toString() {
            return "kept " + Arrays.toString(kept) + ", reset " + Arrays.toString(reset) + ", after another text "
                    + afterOther;
        }
    }

    /** Reads a text again and again.
     *
     * @param model that reads
     * @param text  at least two tokens
     * @param other a text of about the same length
     * @return nats per token */
    public static Readings readings(Model model, String text, String other) {
        int[] ids = model.tokenizer().encode(text);
        if (ids.length < 2) {
            throw new IllegalArgumentException("a text of at least 2 tokens is needed, got " + ids.length);
        }
        double[] kept = new double[READINGS];
        double[] reset = new double[READINGS];
        try (Session keeps = model.newSession();
                Session forgets = model.newSession();
                Session warmed = model.newSession()) {
            for (int reading = 0; reading < READINGS; reading++) {
                kept[reading] = read(keeps, ids);
                forget(forgets);
                reset[reading] = read(forgets, ids);
            }
            read(warmed, model.tokenizer().encode(other));
            return new Readings(kept, reset, read(warmed, ids));
        }
    }

    /**
     * The surprise at passages P of one length, each read by a session of its own after something of that length.
     *
     * @param fresh      nats per token of P read first
     * @param afterItself nats per token of P read after P
     * @param afterOther nats per token of P read after another passage Q, which is the fair control
     * @param passages   how many
     */
    public record Passages(double fresh, double afterItself, double afterOther, int passages) {
        /** What the memory saves at a second reading.
         *  @return 1 - afterItself / afterOther */
        public double gain() {
            return 1 - afterItself / afterOther;
        }
    }

    /** Cuts a text into passages and reads each alone, after itself and after the next one.
     *
     * @param model  that reads
     * @param text   at least two passages long
     * @param length tokens of a passage, at least 2
     * @return mean nats per token over all whole passages; the last one's other is the first */
    public static Passages passages(Model model, String text, int length) {
        int[] ids = model.tokenizer().encode(text);
        int count = length < 2 ? 0 : ids.length / length;
        if (count < 2) {
            throw new IllegalArgumentException("two passages of at least 2 tokens are needed, got a text of "
                    + ids.length + " tokens for passages of " + length);
        }
        double[] sums = new double[3];
        try (Session session = model.newSession()) {
            for (int i = 0; i < count; i++) {
                int[] passage = Arrays.copyOfRange(ids, i * length, (i + 1) * length);
                int next = (i + 1) % count;
                forget(session);
                sums[0] += read(session, passage);
                sums[1] += read(session, passage);
                forget(session);
                read(session, Arrays.copyOfRange(ids, next * length, (next + 1) * length));
                sums[2] += read(session, passage);
            }
        }
        return new Passages(sums[0] / count, sums[1] / count, sums[2] / count, count);
    }

    /** All of it: a memory at the output is emptied apart. */
    private static void forget(Session session) {
        session.reset();
        session.resetOutput();
    }

    private static double read(Session session, int[] ids) {
        double nats = ids.length < 2 ? 0 : Evaluation.nats(session, ids, 0, ids.length - 1) / (ids.length - 1);
        // The last token is read as well, so that the next reading follows the whole text.
        session.feed(ids[ids.length - 1]);
        return nats;
    }
}
