package io.github.bitttt.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.nn.Weights;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many sessions of one model at once: each as if it were alone, bit for bit. {@code -Dbitttt.stress.steps} changes how long. */
class ConcurrencyTest {
    private static final int SESSIONS = 64;
    private static final int STRESS_THREADS = 8;
    private static final int STRESS_STEPS = Integer.getInteger("bitttt.stress.steps", 2_000);

    @TempDir
    private Path folder;

    private static Model small() {
        BitLlamaConfig config = BitLlamaConfig.of(300, 48, 2, 80);
        return Model.of(new Checkpoint(config, Weights.init(new BitLlama(config).params(), 9), Map.of()));
    }

    /** All that a session says to a text of its own, read in pieces of many lengths. */
    private static float[] read(Session session, long seed, int pieces) {
        SplittableRandom random = new SplittableRandom(seed);
        int vocabulary = session.model().architecture().config().vocabSize();
        float[] heard = new float[0];
        for (int piece = 0; piece < pieces; piece++) {
            float[] logits = session.feed(random.ints(1 + random.nextInt(80), 0, vocabulary).toArray());
            heard = Arrays.copyOf(heard, heard.length + logits.length);
            System.arraycopy(logits, 0, heard, heard.length - logits.length, logits.length);
        }
        return heard;
    }

    private static long race(Model shared, Model alone, int pieces) throws Exception {
        CountDownLatch start = new CountDownLatch(SESSIONS);
        List<Callable<float[]>> readers = new ArrayList<>();
        for (int i = 0; i < SESSIONS; i++) {
            long seed = i;
            readers.add(() -> {
                try (Session session = shared.newSession()) {
                    start.countDown();
                    start.await();
                    return read(session, seed, pieces);
                }
            });
        }
        long tokens = 0;
        try (ExecutorService threads = Executors.newFixedThreadPool(SESSIONS)) {
            List<Future<float[]>> together = threads.invokeAll(readers);
            for (int i = 0; i < SESSIONS; i++) {
                try (Session session = alone.newSession()) {
                    assertThat(together.get(i).get()).as("session " + i).containsExactly(read(session, i, pieces));
                    tokens += session.position();
                }
            }
        }
        return tokens;
    }

    @Test
    void sixtyFourSessionsReadAsIfAlone() throws Exception {
        // The shared models are fresh: the first products race to lay out the weights.
        long tokens = race(small(), small(), 12);
        tokens += race(Model.of(Zoo.checkpoint(Zoo.DEFAULT)), Model.of(Zoo.checkpoint(Zoo.DEFAULT)), 2);
        Tally.write("sessions-raced", 2 * SESSIONS + " sessions on " + SESSIONS + " threads, " + tokens
                + " tokens, 0 logits that differ from reading alone");
    }

    @Test
    void randomLoadsForksSavesAndClosesMixNothing() throws Exception {
        Model model = small();
        SessionPool pool = new SessionPool(model, folder);
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int thread = 0; thread < STRESS_THREADS; thread++) {
            SplittableRandom random = new SplittableRandom(100 + thread);
            tasks.add(() -> {
                for (int step = 0; step < STRESS_STEPS; step++) {
                    pool.step(random);
                }
                return null;
            });
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(STRESS_THREADS)) {
            for (Future<Void> done : threads.invokeAll(tasks)) {
                done.get();
            }
        }
        int checked = pool.check();
        Tally.write("stress",
                STRESS_THREADS * STRESS_STEPS + " random steps on " + STRESS_THREADS + " threads (" + pool.counts()
                        + "), " + checked + " sessions equal to their history read alone, 0 lost or mixed");
    }

    @Test
    void oneTokenizerServesManyThreads() throws Exception {
        var tokenizer = Zoo.load(Zoo.DEFAULT).tokenizer();
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int thread = 0; thread < STRESS_THREADS; thread++) {
            String text = "Once upon a time there were %d dogs. ".formatted(thread).repeat(50);
            int[] alone = tokenizer.encode(text);
            tasks.add(() -> {
                for (int i = 0; i < 200; i++) {
                    assertThat(tokenizer.encode(text)).containsExactly(alone);
                    assertThat(tokenizer.decode(alone)).isEqualTo(text);
                }
                return null;
            });
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(STRESS_THREADS)) {
            for (Future<Void> done : threads.invokeAll(tasks)) {
                done.get();
            }
        }
    }
}
