package io.github.bitttt.tests.faults;

import com.sun.management.ThreadMXBean;
import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.Objective;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.TttLayer;
import io.github.bitttt.nn.TttState;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.nn.naive.Doubles;
import io.github.bitttt.nn.naive.NaiveOps;
import io.github.bitttt.tensor.KernelChoice;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SplittableRandom;

/**
 * A process that reads very many tokens in one session of each form of the memory layer. Some of its tokens are zero vectors,
 * some are as large as a model may hold, and they come constant, alternating, in turn and at random.
 *
 * <p>At every checkpoint: all numbers finite; each layer's norm of W within its bound (DESIGN: sqrt(t) for predict_next, 2 sqrt(M)
 * for reconstruct); a new session that takes over the memory goes on bit for bit, and the naive reading in doubles close by; nothing
 * allocated by the reading thread in its second half; in the end the process is no larger than after its first tenth.
 */
final class LongRead {
    private static final int VOCABULARY = 64;
    private static final int CHECKPOINTS = 20;
    private static final int PROBE = 16;
    private static final double DRIFT = 0.02; // an activation that rounds to its neighbour, 1 of 127, now and then
    private static final long GROWTH = 8 << 20; // the JVM's own: compiled code and its counters
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final BitLlama architecture;
    private final Weights weights;
    private final Model model;
    private final long tokens;
    private long allocated;
    private double largest;
    private double drift;

    private LongRead(BitLlamaConfig config, long tokens) {
        architecture = new BitLlama(config);
        weights = adversarial(architecture);
        model = Model.of(new Checkpoint(config, weights, Map.of()));
        this.tokens = tokens;
    }

    /** Reads, checks, and prints what was endured.
     *
     * @param arguments how many tokens in all
     * @throws IOException          if the size of this process cannot be read
     * @throws InterruptedException never */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        BitLlamaConfig.Ttt standard = BitLlamaConfig.Ttt.standard(16).withHeads(2);
        List<BitLlamaConfig.Ttt> forms = List.of(standard, standard.withDecay(true), BitLlamaConfig.Ttt.seed(16));
        long each = Math.ceilDiv(Long.parseLong(arguments[0]), forms.size());
        long allocated = 0;
        double share = 0;
        double drift = 0;
        long growth = Long.MIN_VALUE;
        for (BitLlamaConfig.Ttt form : forms) {
            LongRead read = new LongRead(BitLlamaConfig.of(VOCABULARY, 32, 2, 40).withTtt(form), each);
            growth = Math.max(growth, read.run());
            allocated += read.allocated;
            share = Math.max(share, read.largest);
            drift = Math.max(drift, read.drift);
        }
        // One object a token would be 16 bytes and more; the JVM's own, when it compiles a loop anew, are a few hundred in all.
        check(allocated < each / 100, "the reading thread allocated " + allocated + " bytes");
        check(drift < DRIFT, "the naive reading differs by " + drift + " of the largest logit");
        check(growth < GROWTH, "the process grew by " + growth + " bytes");
        System.out.printf(
                "endured %s tokens in %d forms of the layer: norm of W at most %.3f of its bound, drift from the naive"
                        + " reading at most %.1e of the largest logit, %d bytes allocated in the second half, process grew by %d kB, 0 losses%n",
                arguments[0], forms.size(), share, drift, allocated, growth >> 10);
    }

    /** Random weights; embedding rows 0 to 3 zero, 4 to 7 huge, 8 to 11 denormal. */
    private static Weights adversarial(BitLlama model) {
        Weights weights = Weights.init(model.params(), 11);
        SequencedMap<Param, float[]> changed = new LinkedHashMap<>();
        Param embedding = model.params().getFirst();
        float[] rows = weights.floats(embedding).clone();
        int width = embedding.columns();
        for (int row = 0; row < 12; row++) {
            for (int i = 0; i < width; i++) {
                float sign = (row + i) % 3 == 0 ? -1 : 1;
                rows[row * width + i] = sign * (row < 4 ? 0 : row < 8 ? Checkpoint.MAX_MAGNITUDE : Float.MIN_VALUE);
            }
        }
        changed.put(embedding, rows);
        return weights.with(changed);
    }

    private static int token(long t, SplittableRandom random) {
        return switch ((int) (t / 1000 % 7)) {
            case 0 -> 20; // constant
            case 1 -> (int) (t % 2) * 30 + 5; // alternating, one of them huge
            case 2 -> (int) (t % VOCABULARY);
            case 3 -> (int) (t % 4); // zero vectors
            case 4 -> 4 + (int) (t % 4); // huge
            case 5 -> 8 + (int) (t % 4); // denormal
            default -> random.nextInt(VOCABULARY);
        };
    }

    private long run() throws IOException, InterruptedException {
        KernelChoice.current().awaitReady();
        SplittableRandom random = new SplittableRandom(3);
        long early = 0;
        try (Session session = model.newSession()) {
            long t = 0;
            for (int checkpoint = 1; checkpoint <= CHECKPOINTS; checkpoint++) {
                long until = tokens * checkpoint / CHECKPOINTS;
                long before = THREADS.getCurrentThreadAllocatedBytes();
                for (; t < until; t++) {
                    session.feed(token(t, random));
                }
                // Vectors are objects until the JVM has compiled what uses them; that is done well before the half.
                allocated += checkpoint <= CHECKPOINTS / 2 ? 0 : THREADS.getCurrentThreadAllocatedBytes() - before;
                inspect(session, t);
                t += PROBE;
                early = checkpoint == 2 ? residentBytes() : early;
            }
            session.reset();
            try (Session fresh = model.newSession()) {
                for (int id = 0; id < VOCABULARY; id++) {
                    check(Arrays.equals(session.feed(id), fresh.feed(id)),
                            "a session that was reset differs from a new one");
                }
            }
        }
        return residentBytes() - early;
    }

    private void inspect(Session session, long t) {
        for (double norm : session.memoryNorms()) {
            BitLlamaConfig.Ttt form = architecture.config().ttt().orElseThrow();
            double bound = form.objective() == Objective.PREDICT_NEXT
                    ? Math.sqrt((double) t * form.heads())
                    : 2 * Math.sqrt(form.memorySize());
            // Float rounding of norms of 1, once for every token that still counts.
            check(norm <= bound * 1.001, "after " + t + " tokens the norm of W is " + norm + ", its bound " + bound);
            largest = Math.max(largest, norm / bound);
        }
        List<MixerState<float[]>> memories = session.memories();
        memories.forEach(memory -> memory.parts().forEach(LongRead::finite));
        goOn(session, memories);
    }

    /** The next tokens by this session, by a fork of it, and by the naive reading from the same memory. */
    private void goOn(Session session, List<MixerState<float[]>> memories) {
        NaiveOps naive = new NaiveOps(weights);
        List<MixerState<Doubles>> doubles = new ArrayList<>();
        for (int i = 0; i < memories.size(); i++) {
            doubles.add(naive((TttState<float[]>) memories.get(i), i));
        }
        try (Session fresh = session.fork()) {
            for (int i = 0; i < PROBE; i++) {
                int id = 12 + i * 3 % (VOCABULARY - 12);
                float[] logits = session.feed(id);
                finite(logits);
                check(Arrays.equals(logits, fresh.feed(id)), "a new session differs from the one that read long");
                Doubles expected = architecture.forward(naive, doubles, Doubles.tokens(id));
                double[] truth = expected.rows()[0];
                double largestLogit = Arrays.stream(truth).map(Math::abs).max().orElseThrow();
                for (int j = 0; j < logits.length; j++) {
                    drift = Math.max(drift, Math.abs(logits[j] - truth[j]) / largestLogit);
                }
            }
        }
    }

    private TttState<Doubles> naive(TttState<float[]> memory, int layer) {
        TttLayer form = (TttLayer) architecture.blocks().get(layer).mixer();
        return new TttState<>(rows(memory.weights(), form.headWidth()), rows(memory.previous(), form.width()),
                rows(memory.feature(), form.memoryWidth()));
    }

    private static Doubles rows(float[] values, int columns) {
        double[][] rows = new double[values.length / columns][columns];
        for (int i = 0; i < values.length; i++) {
            rows[i / columns][i % columns] = values[i];
        }
        return new Doubles(rows);
    }

    private static void finite(float[] values) {
        for (float value : values) {
            check(Float.isFinite(value), "a number is " + value);
        }
    }

    private static void check(boolean holds, String message) {
        if (!holds) {
            throw new AssertionError(message);
        }
    }

    /** The size of this process, where the system tells it; 0 elsewhere. */
    private static long residentBytes() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.exists(status)) {
            return 0;
        }
        return Files.readAllLines(status).stream().filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10).findFirst().orElse(0);
    }
}
