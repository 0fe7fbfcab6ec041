package io.github.bitttt.llama.generate;

import java.util.Arrays;
import java.util.BitSet;
import java.util.SplittableRandom;

/**
 * Chooses the next token from logits. For one thread; the same seed and logits give the same tokens.
 *
 * <p>Order: repetition penalty, sequence penalty, temperature, top-k, top-p, then a draw.
 */
public final class Sampler {
    private static final int SEQUENCE = 3; // tokens that must agree
    private static final int LONGEST = 24; // then the penalty is past any logit
    private static final double BASE = 1.75;

    private final SamplerOptions options;
    private final SplittableRandom random;
    private final BitSet seen = new BitSet();
    // The last tokens, at least as many as a half of the room.
    private final int[] said = new int[1024];
    private int length;
    private float[] probabilities = new float[0];
    // Sort keys: a probability's bits above, the token below; non-negative floats sort like their bits.
    private long[] order = new long[0];

    /** A sampler that has chosen nothing yet.
     *
     * @param options how to choose */
    public Sampler(SamplerOptions options) {
        this.options = options;
        this.random = new SplittableRandom(options.seed());
    }

    /** A sampler of all tokens at a temperature.
     *
     * @param temperature 0 takes the likeliest
     * @param seed        same seed, same choices
     * @return the sampler */
    public static Sampler of(double temperature, long seed) {
        return new Sampler(new SamplerOptions(temperature, 0, 1, 1, seed));
    }

    /** Counts tokens as seen, for the penalties.
     *
     * @param ids of the prompt */
    public void seen(int... ids) {
        for (int id : ids) {
            say(id);
        }
    }

    private void say(int id) {
        seen.set(id);
        if (length == said.length) {
            length /= 2;
            System.arraycopy(said, length, said, 0, length);
        }
        said[length++] = id;
    }

    /** Chooses a token.
     *
     * @param logits [V], not changed
     * @return its id
     * @throws IllegalArgumentException if a logit is not finite */
    public int pick(float[] logits) {
        if (probabilities.length != logits.length) {
            probabilities = new float[logits.length];
            order = new long[logits.length];
        }
        penalize(logits);
        if (options.sequencePenalty() > 0) {
            penalizeSequences(logits);
        }
        int likeliest = likeliest();
        int token = options.temperature() == 0 ? likeliest : draw(probabilities[likeliest]);
        say(token);
        return token;
    }

    /** Fills in the logits, those of seen tokens with their penalty. */
    private void penalize(float[] logits) {
        for (int i = 0; i < logits.length; i++) {
            float logit = logits[i];
            if (!Float.isFinite(logit)) {
                throw new IllegalArgumentException("logits must be finite, got " + logit + " for token " + i);
            }
            probabilities[i] = penalized(i, logit);
        }
    }

    private float penalized(int token, float logit) {
        if (!seen.get(token)) {
            return logit;
        }
        return (float) (logit > 0 ? logit / options.repetitionPenalty() : logit * options.repetitionPenalty());
    }

    /** Where the last tokens were said before, the token that followed is less likely, the more so the longer they agree. */
    private void penalizeSequences(float[] logits) {
        for (int at = length - 1; at >= SEQUENCE; at--) {
            int same = 0;
            while (same < Math.min(at, LONGEST) && said[at - 1 - same] == said[length - 1 - same]) {
                same++;
            }
            if (same >= SEQUENCE) {
                double penalty = options.sequencePenalty() * Math.pow(BASE, same - SEQUENCE);
                int next = said[at];
                probabilities[next] = Math.min(probabilities[next], (float) (penalized(next, logits[next]) - penalty));
            }
        }
    }

    private int likeliest() {
        int likeliest = 0;
        for (int i = 1; i < probabilities.length; i++) {
            likeliest = probabilities[i] > probabilities[likeliest] ? i : likeliest;
        }
        return likeliest;
    }

    private int draw(float largest) {
        double total = 0;
        for (int i = 0; i < probabilities.length; i++) {
            probabilities[i] = (float) Math.exp((probabilities[i] - largest) / options.temperature());
            total += probabilities[i];
        }
        if (options.topK() == 0 && options.topP() == 1) {
            return walk(random.nextDouble() * total);
        }
        return drawOfLikeliest(total);
    }

    private int walk(double left) {
        double rest = left;
        int last = 0;
        for (int i = 0; i < probabilities.length; i++) {
            if (probabilities[i] > 0) {
                last = i;
                rest -= probabilities[i];
                if (rest < 0) {
                    break;
                }
            }
        }
        return last;
    }

    private int drawOfLikeliest(double total) {
        int n = probabilities.length;
        for (int i = 0; i < n; i++) {
            // The complement of the token makes equal probabilities come with the smaller id first.
            order[i] = (long) Float.floatToRawIntBits(probabilities[i]) << 32 | ~i & 0xFFFFFFFFL;
        }
        Arrays.sort(order);
        int most = options.topK() == 0 ? n : Math.min(n, options.topK());
        double kept = 0;
        double inTopK = 0;
        for (int rank = 0; rank < most; rank++) {
            inTopK += probabilities[token(rank)];
        }
        int count = 0;
        while (count < most && (count == 0 || kept < options.topP() * Math.min(inTopK, total))) {
            kept += probabilities[token(count++)];
        }
        double left = random.nextDouble() * kept;
        int rank = 0;
        while (rank < count - 1 && (left -= probabilities[token(rank)]) >= 0) {
            rank++;
        }
        return token(rank);
    }

    private int token(int rank) {
        return ~(int) order[order.length - 1 - rank];
    }
}
