package io.github.bitttt.llama.generate;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.nn.Attention;
import io.github.bitttt.nn.KvCache;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.cpu.CpuOps;
import io.github.bitttt.nn.cpu.Rows;
import io.github.bitttt.tensor.TokenRows;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.stream.Collectors;

/**
 * What a session remembers: the state of each layer and, where attention keeps every token, which tokens these are and how many there may
 * be. Memory layers stay the same size for ever, so nothing is counted for them. For one thread.
 *
 * <p>With a window of N tokens, attention keeps the first {@value #FIRST} tokens and the last N to N + {@value TokenRows#BLOCK} - 1: before the
 * next one, a block is taken away behind the first. Positions are those among the tokens that are kept. Source: Xiao et al.,
 * arXiv:2309.17453.
 */
final class SessionMemory {
    /** Tokens that a window keeps beside the last ones: what attention looks at where it has nothing to look at. */
    static final int FIRST = 4;

    private final BitLlama architecture;
    private final List<MixerState<Rows>> states;
    private final boolean keepsTokens; // some layer does
    private final boolean goesBack; // all that is remembered are tokens, so the last ones can be taken away
    private final int limit; // of tokens
    private final int most; // that a window keeps; 0 without
    private int[] ids = new int[0];
    private int tokens; // that attention keeps
    private boolean known = true; // what ids holds; not after a file
    private boolean answering;

    /** An empty memory.
     *
     * @param architecture of the model
     * @param window       tokens that attention keeps at least, if not all
     * @param learns       whether something else learns from each token as well, which cannot go back either */
    SessionMemory(BitLlama architecture, OptionalInt window, boolean learns) {
        this.architecture = architecture;
        states = architecture.memories(CpuOps::empty);
        keepsTokens = states.stream().anyMatch(KvCache.class::isInstance);
        goesBack = !learns && states.stream().allMatch(KvCache.class::isInstance);
        int context = architecture.config().contextLimit().orElse(Integer.MAX_VALUE);
        most = window.isPresent() ? FIRST + window.getAsInt() + TokenRows.BLOCK : 0;
        limit = keepsTokens && most == 0 ? context : Integer.MAX_VALUE;
    }

    /** What a window must be for a model.
     *
     * @throws IllegalArgumentException if it is of no use or too large */
    static void checkWindow(BitLlama architecture, int window) {
        if (architecture.memoryNumbersPerToken() == 0) {
            throw new IllegalArgumentException("a window is for attention, got " + window
                    + " for a model whose layers keep no tokens; leave it out");
        }
        int most = architecture.config().contextLimit().orElse(Integer.MAX_VALUE) - FIRST - TokenRows.BLOCK;
        if (window < 1 || window > most) {
            throw new IllegalArgumentException("window must be 1 to " + most + " tokens, got " + window);
        }
    }

    /** Makes room for a pass.
     *
     * @param wanted tokens to read next, at least 1
     * @return how many of them one pass may read */
    int pass(int wanted) {
        if (most == 0) {
            return Math.min(Session.BLOCK, wanted);
        }
        while (tokens >= most) {
            slide();
        }
        return Math.min(Math.min(Session.BLOCK, wanted), most - tokens);
    }

    private void slide() {
        for (int i = 0; i < states.size(); i++) {
            if (states.get(i) instanceof KvCache<Rows> cache) {
                CpuOps.slide((Attention) architecture.blocks().get(i).mixer(), cache, FIRST);
            }
        }
        tokens -= TokenRows.BLOCK;
        known = false; // what is left is no beginning of a text
    }

    List<MixerState<Rows>> states() {
        return states;
    }

    /** Whether attention has kept nothing yet; true for ever where there is none. */
    boolean isEmpty() {
        return tokens == 0;
    }

    /** Whether one more token can be read. */
    boolean hasRoom() {
        return tokens < limit;
    }

    /** Refuses more tokens than the model's positions were made for. */
    void admit(int more) {
        admit(tokens, more);
    }

    /** Makes room for one more token, or refuses it. */
    void admitOne() {
        admit(1);
        pass(1);
    }

    void admit(int before, int more) {
        if (more > limit - before) {
            throw new ContextLimitException("the model's context takes " + limit + " tokens, got " + more
                    + (before == 0 ? "" : " more behind the " + before + " that were read before")
                    + "; shorten the text or begin a new session");
        }
    }

    /** Notes what was read. */
    void read(int[] from, int start, int end) {
        if (!keepsTokens) {
            return;
        }
        if (ids.length < tokens + end - start) {
            ids = Arrays.copyOf(ids, Math.max(tokens + end - start, Math.min(2 * ids.length, limit)));
        }
        System.arraycopy(from, start, ids, tokens, end - start);
        tokens += end - start;
    }

    void read(int id) {
        if (keepsTokens) {
            if (ids.length == tokens) {
                ids = Arrays.copyOf(ids, Math.max(64, 2 * tokens));
            }
            ids[tokens++] = id;
        }
    }

    /** How many of a text's first tokens have been read and could stay if it were read next: all but the last at most. */
    int inCommon(int[] text) {
        if (!known) {
            return 0;
        }
        int most = Math.min(tokens, text.length - 1);
        int common = most <= 0 ? 0 : Arrays.mismatch(ids, 0, most, text, 0, most);
        common = common < 0 ? most : common;
        return goesBack || common == tokens ? common : 0;
    }

    /** Goes back to the first n tokens. */
    void goBack(int n) {
        if (n == 0) {
            clear();
            return;
        }
        for (MixerState<Rows> state : states) {
            if (n < tokens && state instanceof KvCache<Rows> cache) {
                CpuOps.truncate(cache, n);
            }
        }
        tokens = n;
    }

    /** How many tokens attention keeps. */
    int tokens() {
        return tokens;
    }

    /** Whether a chat's answer was being written last: what follows must close it first. */
    boolean answering() {
        return answering;
    }

    void answering(boolean open) {
        answering = open;
    }

    void clear() {
        states.forEach(CpuOps::clear);
        tokens = 0;
        known = true;
        answering = false;
    }

    List<MixerState<float[]>> copies() {
        return states.stream().map(CpuOps::export).toList();
    }

    /** Overwrites everything by what a file holds: how many tokens, but not which. */
    void restore(List<MixerState<float[]>> from) {
        tokens = 0;
        for (int i = 0; i < states.size(); i++) {
            CpuOps.restore(from.get(i), states.get(i));
            if (states.get(i) instanceof KvCache<Rows> cache) {
                tokens = CpuOps.tokens(cache);
            }
        }
        known = tokens == 0;
        ids = new int[tokens];
        answering = tokens > 0; // a file of a conversation ends with an answer
    }

    /** Overwrites everything by another session's. */
    void restore(SessionMemory other) {
        restore(other.copies());
        ids = Arrays.copyOf(other.ids, tokens);
        known = other.known;
        answering = other.answering;
    }

    /** The Frobenius norm of each layer's W; 0 where there is none. */
    double[] norms() {
        return states.stream().mapToDouble(state -> state.learned().map(w -> norm(w.toArray())).orElse(0.0)).toArray();
    }

    @Override
    public String toString() {
        return Arrays.stream(norms()).mapToObj(norm -> String.format(Locale.ROOT, "%.2f", norm))
                .collect(Collectors.joining(", ", "memory norms ", ""));
    }

    private static double norm(float[] values) {
        double squares = 0;
        for (float value : values) {
            squares += (double) value * value;
        }
        return Math.sqrt(squares);
    }
}
