package io.github.bitttt.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.nn.Weights;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Sessions without a name: kept where attention makes that worth it, few, and in little memory. */
class SessionStoreTest {
    private static final int TOKENS = 40;

    private static Model model(boolean attention) {
        BitLlamaConfig memories = BitLlamaConfig.of(64, 16, 2, 48);
        BitLlamaConfig config = attention ? memories.withAttention(2) : memories;
        return Model.of(new Checkpoint(config, Weights.init(new BitLlama(config).params(), 3), Map.of()));
    }

    /** A text that no other seed begins alike. */
    private static int[] text(int seed) {
        int[] ids = new int[TOKENS];
        Arrays.setAll(ids, i -> (seed + 7 * i) % 64);
        return ids;
    }

    private static void serve(SessionStore store, int seed) {
        Session session = store.lend(text(seed));
        session.feed(text(seed));
        store.giveBack(session, true);
    }

    private static int kept(SessionStore store, int seed) {
        Session session = store.lend(text(seed));
        int common = session.inCommon(text(seed));
        store.giveBack(session, true);
        return common;
    }

    @Test
    void theLastFourAreKept() {
        SessionStore store = new SessionStore(model(true), 1, Long.MAX_VALUE);
        for (int seed = 0; seed < 5; seed++) {
            serve(store, seed);
        }
        for (int seed = 1; seed < 5; seed++) {
            assertThat(kept(store, seed)).isEqualTo(TOKENS - 1);
        }
        assertThat(store.size()).isZero(); // none has a name
        Session lent = store.lend(text(4));
        assertThat(store.lend(text(4)).inCommon(text(4))).as("one that is in use serves nobody else").isZero();
        store.giveBack(lent, false);
        assertThat(kept(store, 4)).as("one that failed is gone").isZero();
        store.close();
        serve(store, 9);
        assertThat(store.lend(text(9)).inCommon(text(9))).as("nothing is kept any more").isZero();
    }

    @Test
    void noMoreMemoryThanTheirShare() {
        Model model = model(true);
        long one = model.memoryBytes() + TOKENS * model.memoryBytesPerToken();
        SessionStore store = new SessionStore(model, 1, 2 * one);
        for (int seed = 0; seed < 3; seed++) {
            serve(store, seed);
        }
        assertThat(kept(store, 1)).isEqualTo(TOKENS - 1);
        assertThat(kept(store, 2)).isEqualTo(TOKENS - 1);
        SessionStore tiny = new SessionStore(model, 1, one - 1);
        serve(tiny, 0);
        assertThat(tiny.lend(text(0)).inCommon(text(0))).isZero();
    }

    /** A memory cannot go back to where two texts part. */
    @Test
    void memoriesAreNotKept() {
        SessionStore store = new SessionStore(model(false), 1, Long.MAX_VALUE);
        serve(store, 0);
        assertThat(store.lend(text(0)).position()).isZero();
    }

    /** Another conversation that begins alike gets a session of its own, so that the first may go on. */
    @Test
    void aSharedBeginningIsNotTakenAway() {
        SessionStore store = new SessionStore(model(true), 1, Long.MAX_VALUE);
        serve(store, 0);
        int[] other = text(0);
        Arrays.fill(other, 10, TOKENS, 63);
        assertThat(store.lend(other).position()).isZero();
        assertThat(kept(store, 0)).isEqualTo(TOKENS - 1);
    }
}
