package io.github.bitttt.llama.generate;

import java.util.Arrays;
import java.util.BitSet;
import java.util.SplittableRandom;

/** The sampler of {@link SamplerOptions}. For one thread. */
final class StandardSampler implements Sampler {
    /** Up to so many likeliest tokens are kept in order while all are looked at; beyond, sorting all is faster. */
    private static final int KEPT_IN_ORDER = 64;
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

    StandardSampler(SamplerOptions options) {
        this.options = options;
        this.random = new SplittableRandom(options.seed());
    }

    @Override
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

    @Override
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
        int topK = options.topK();
        if (topK > 0 && topK <= Math.min(KEPT_IN_ORDER, probabilities.length)) {
            keepLikeliest(topK);
            for (int i = 0; i < topK; i++) {
                int token = ~(int) order[i];
                probabilities[token] = probability(token, largest);
                order[i] = key(Float.floatToRawIntBits(probabilities[token]), token);
            }
            return drawInOrder(topK, topK, Double.POSITIVE_INFINITY);
        }
        double total = 0;
        for (int i = 0; i < probabilities.length; i++) {
            probabilities[i] = probability(i, largest);
            total += probabilities[i];
        }
        if (topK == 0 && options.topP() == 1) {
            return walk(random.nextDouble() * total);
        }
        for (int i = 0; i < probabilities.length; i++) {
            order[i] = key(Float.floatToRawIntBits(probabilities[i]), i);
        }
        int n = probabilities.length;
        return drawInOrder(n, topK == 0 ? n : Math.min(n, topK), total);
    }

    private float probability(int token, float largest) {
        return (float) Math.exp((probabilities[token] - largest) / options.temperature());
    }

    /** The complement of the token makes equal values come with the smaller id first. */
    private static long key(int bits, int token) {
        return (long) bits << 32 | ~token & 0xFFFFFFFFL;
    }

    /** The keys of the largest logits, the least of them first. */
    private void keepLikeliest(int count) {
        Arrays.fill(order, 0, count, Long.MIN_VALUE);
        for (int i = 0; i < probabilities.length; i++) {
            int bits = Float.floatToRawIntBits(probabilities[i]);
            // Bits of negative floats sort the wrong way round.
            long key = key(bits ^ bits >> 31 & Integer.MAX_VALUE, i);
            if (key > order[0]) {
                int at = 0;
                while (at + 1 < count && order[at + 1] < key) {
                    order[at] = order[at + 1];
                    at++;
                }
                order[at] = key;
            }
        }
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

    /** A draw among the first keys.
     *
     * @param keys  in use
     * @param most  likeliest tokens
     * @param total of all probabilities */
    private int drawInOrder(int keys, int most, double total) {
        Arrays.sort(order, 0, keys);
        double inTopK = 0;
        for (int rank = 0; rank < most; rank++) {
            inTopK += probabilities[token(keys, rank)];
        }
        double kept = 0;
        int count = 0;
        while (count < most && (count == 0 || kept < options.topP() * Math.min(inTopK, total))) {
            kept += probabilities[token(keys, count++)];
        }
        double left = random.nextDouble() * kept;
        int rank = 0;
        while (rank < count - 1 && (left -= probabilities[token(keys, rank)]) >= 0) {
            rank++;
        }
        return token(keys, rank);
    }

    private int token(int keys, int rank) {
        return ~(int) order[keys - 1 - rank];
    }
}
