package io.github.bitttt.llama.adapt;

import java.util.Arrays;

/**
 * How often which token followed the last n tokens, in 2^bits places; a place holds one context by a tag of 15 bits and its eight
 * commonest successors. A new context takes the place of the old one; counts that pass 250 are halved.
 */
final class SuccessorTable {
    static final int SUCCESSORS = 8;
    private static final int MOST = 250;

    private final int bits;
    final short[] tags; // 0: empty
    final int[] tokens; // [places, SUCCESSORS]
    final byte[] counts; // unsigned
    private int place;
    private short tag;

    SuccessorTable(int bits) {
        this.bits = bits;
        tags = new short[1 << bits];
        tokens = new int[SUCCESSORS << bits];
        counts = new byte[SUCCESSORS << bits];
    }

    /** The hash of a context that has one token more, further back. */
    static int hash(int context, int token) {
        int mixed = (context + token + 1) * 0x9E3779B1;
        return mixed ^ mixed >>> 15;
    }

    /** Finds the place of a context, for {@link #predict} and {@link #learn}. */
    void find(int context) {
        int mixed = context * 0x85EBCA77;
        place = mixed >>> 32 - bits;
        tag = (short) Math.max(1, mixed * 31 + context >>> 17);
    }

    void predict(SparseExpert expert) {
        expert.size = 0;
        if (tags[place] != tag) {
            return;
        }
        int total = 0;
        for (int i = place * SUCCESSORS; i < (place + 1) * SUCCESSORS; i++) {
            int count = count(i);
            if (count > 0) {
                total += count;
                expert.tokens[expert.size] = tokens[i];
                expert.shares[expert.size++] = count;
            }
        }
        expert.findLikeliest();
        boolean several = expert.size > 1;
        // As if each side had been seen 0.4 times more, so that a single sight is not certainty.
        double sure = (expert.shares[expert.likeliest] + 0.4) / (total + 0.8 + (several ? 0.4 : 0));
        expert.features[1] = Gate.logit(sure) / 2;
        expert.features[2] = Math.log(total) / 2;
        expert.features[4] = several ? Math.log(expert.size) : -1;
        for (int i = 0; i < expert.size; i++) {
            expert.shares[i] /= total;
        }
    }

    /** Counts the token that came. */
    void learn(int token) {
        int from = place * SUCCESSORS;
        if (tags[place] != tag) {
            tags[place] = tag;
            Arrays.fill(counts, from, from + SUCCESSORS, (byte) 0);
        }
        int at = placeOf(token, from);
        if (tokens[at] != token) {
            tokens[at] = token;
            counts[at] = 0;
        }
        counts[at]++;
        if (count(at) > MOST) {
            for (int i = from; i < from + SUCCESSORS; i++) {
                counts[i] = (byte) (count(i) / 2);
            }
        }
    }

    /** Where a token is counted; if nowhere, the place of the rarest. */
    private int placeOf(int token, int from) {
        int rarest = from;
        for (int i = from; i < from + SUCCESSORS; i++) {
            if (counts[i] != 0 && tokens[i] == token) {
                return i;
            }
            rarest = count(i) < count(rarest) ? i : rarest;
        }
        return rarest;
    }

    private int count(int at) {
        return Byte.toUnsignedInt(counts[at]);
    }

    void clear() {
        Arrays.fill(tags, (short) 0);
        Arrays.fill(tokens, 0);
        Arrays.fill(counts, (byte) 0);
    }

    void pass(StatePort port, int lastToken) {
        port.shorts(tags);
        port.ints(tokens, lastToken);
        port.bytes(counts);
        for (int at = 0; at < counts.length; at += SUCCESSORS) {
            int total = 0;
            for (int i = at; i < at + SUCCESSORS; i++) {
                total += count(i);
            }
            if (total == 0 && tags[at / SUCCESSORS] != 0) {
                throw new IllegalArgumentException("output memory: a context of the table has no successor");
            }
        }
    }
}
