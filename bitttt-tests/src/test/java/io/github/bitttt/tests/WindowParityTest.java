package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.nn.Attention;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.KvCache;
import io.github.bitttt.nn.Mixed;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.Ops;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.nn.naive.Doubles;
import io.github.bitttt.nn.naive.NaiveOps;
import java.io.IOException;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention with a window, beside a naive twin that turns nothing back: it keeps keys as they were projected, and places them anew for each token. */
class WindowParityTest {
    private static final int FIRST = 4;
    private static final int BLOCK = 64;
    private static final int VOCABULARY = 23;

    private static final BitLlama ARCHITECTURE = new BitLlama(BitLlamaConfig.of(VOCABULARY, 24, 2, 48).withAttention(2)
            .withQuantization(new Quantization(true, false)));
    private static final Weights WEIGHTS = Weights.init(ARCHITECTURE.params(), 7);

    private static Model model(int window) {
        return Model.of(new Checkpoint(ARCHITECTURE.config(), WEIGHTS, Map.of())).withWindow(window);
    }

    private static int[] ids(int count) {
        return new SplittableRandom(5).ints(count, 0, VOCABULARY).toArray();
    }

    /** The naive reading, one token at a time, with another attention. */
    private static final class Windowed implements InvocationHandler {
        private final NaiveOps naive = new NaiveOps(WEIGHTS);
        private final int window;

        Windowed(int window) {
            this.window = window;
        }

        @Override
        public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
            if (method.getName().equals("attend")) {
                @SuppressWarnings("unchecked")
                KvCache<Doubles> cache = (KvCache<Doubles>) arguments[1];
                return attend((Attention) arguments[0], cache, (Doubles) arguments[2], (Doubles) arguments[3],
                        (Doubles) arguments[4]);
            }
            boolean inherited = Stream.of(NaiveOps.class.getDeclaredMethods())
                    .noneMatch(own -> own.getName().equals(method.getName()) && !own.isBridge()
                            && own.getParameterCount() == method.getParameterCount());
            if (inherited) {
                return InvocationHandler.invokeDefault(proxy, method, arguments);
            }
            try {
                return method.invoke(naive, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }

        private Mixed<Doubles> attend(Attention layer, KvCache<Doubles> cache, Doubles query, Doubles key,
                Doubles value) {
            double[][] keys = kept(cache.keys(), key);
            double[][] values = kept(cache.values(), value);
            double[][] queries = new double[keys.length][query.rows()[0].length];
            queries[keys.length - 1] = query.rows()[0];
            KvCache<Doubles> none = new KvCache<>(new Doubles(new double[0][]), new Doubles(new double[0][]));
            double[][] answers = naive.attend(layer, none, new Doubles(queries), new Doubles(keys), new Doubles(values))
                    .output().rows();
            return new Mixed<>(new Doubles(new double[][]{answers[keys.length - 1]}),
                    new KvCache<>(new Doubles(keys), new Doubles(values)));
        }

        private double[][] kept(Doubles before, Doubles one) {
            List<double[]> rows = new ArrayList<>(Arrays.asList(before.rows()));
            if (rows.size() == FIRST + window + BLOCK) {
                rows.subList(FIRST, FIRST + BLOCK).clear();
            }
            rows.add(one.rows()[0]);
            return rows.toArray(double[][]::new);
        }
    }

    @SuppressWarnings("unchecked")
    private static double[][] twin(int window, int[] ids) {
        Ops<Doubles> ops = (Ops<Doubles>) Proxy.newProxyInstance(Ops.class.getClassLoader(), new Class<?>[]{Ops.class},
                new Windowed(window));
        List<MixerState<Doubles>> memories = ARCHITECTURE.memories(NaiveOps::empty);
        return Arrays.stream(ids).mapToObj(id -> ARCHITECTURE.forward(ops, memories,
                Doubles.tokens(id)).rows()[0])
                .toArray(double[][]::new);
    }

    @ParameterizedTest(name = "window {0}")
    @ValueSource(ints = {1, 30, 64, 100})
    void aWindowIsWhatTheTwinKeeps(int window) {
        int[] ids = ids(420);
        double[][] expected = twin(window, ids);
        try (Session one = model(window).newSession(); Session pieces = model(window).newSession()) {
            List<float[]> heard = new ArrayList<>();
            pieces.feed(Arrays.copyOf(ids, 201), (_, logits) -> heard.add(logits.clone()));
            pieces.feed(Arrays.copyOfRange(ids, 201, 419), (_, logits) -> heard.add(logits.clone()));
            heard.add(pieces.feed(new int[]{ids[419]}).clone());
            for (int t = 0; t < ids.length; t++) {
                float[] logits = one.feed(ids[t]);
                assertThat(GoldenFixture.relativeError(expected[t], GoldenFixture.doubles(logits))).as("token %d", t)
                        .isLessThan(1e-4);
                assertThat(GoldenFixture.relativeError(expected[t], GoldenFixture.doubles(heard.get(t))))
                        .as("token %d in pieces", t).isLessThan(1e-4);
            }
            assertThat(one.position()).isEqualTo(420);
            assertThat(pieces.memories()).allSatisfy(state -> assertThat(state.parts().getFirst().length / 24)
                    .isBetween(FIRST + window, FIRST + window + BLOCK));
        }
    }

    /** Without a window the last logits differ: what has left it was of consequence. */
    @Test
    void aTextThatFitsIsReadAsWithoutAndALongerOneIsNot() {
        int[] ids = ids(300);
        try (Session all = Model.of(new Checkpoint(ARCHITECTURE.config(), WEIGHTS, Map.of())).newSession();
                Session window = model(64).newSession()) {
            assertThat(window.feed(Arrays.copyOf(ids, 132))).isEqualTo(all.feed(Arrays.copyOf(ids, 132)));
            assertThat(window.feed(Arrays.copyOfRange(ids, 132, 300)))
                    .isNotEqualTo(all.feed(Arrays.copyOfRange(ids, 132, 300)));
        }
    }

    @Test
    void savedForkedAndAdaptedItGoesOnTheSameToTheBit(@TempDir Path folder) throws IOException {
        int[] ids = ids(400);
        Model model = model(50).withOutputMemory(new OutputMemory(2, 0.2, 3e-4, 64, 32, 10));
        try (Session session = model.newSession(); Session loaded = model.newSession()) {
            session.feed(Arrays.copyOf(ids, 333));
            session.saveMemory(folder.resolve("memory"));
            loaded.loadMemory(folder.resolve("memory"));
            try (Session fork = session.fork()) {
                float[] expected = session.feed(Arrays.copyOfRange(ids, 333, 400)).clone();
                assertThat(fork.feed(Arrays.copyOfRange(ids, 333, 400))).isEqualTo(expected);
                assertThat(loaded.feed(Arrays.copyOfRange(ids, 333, 400))).isEqualTo(expected);
            }
        }
    }

    /** A context limit is of positions, and a window never comes to it. */
    @Test
    void aWindowReadsBeyondTheContext() {
        BitLlamaConfig config = BitLlamaConfig.of(VOCABULARY, 24, 1, 48).withAttention(2).with(OptionalDouble.empty(),
                OptionalInt.of(100));
        Model model = Model.of(new Checkpoint(config, Weights.init(new BitLlama(config).params(), 7), Map.of()));
        try (Session session = model.withWindow(32).newSession()) {
            session.feed(ids(500));
            assertThat(session.position()).isEqualTo(500);
        }
        assertThatIllegalArgumentException().isThrownBy(() -> model.withWindow(33))
                .withMessage("window must be 1 to 32 tokens, got 33");
        assertThatIllegalArgumentException().isThrownBy(() -> model.withWindow(0))
                .withMessage("window must be 1 to 32 tokens, got 0");
        BitLlamaConfig memory = BitLlamaConfig.of(VOCABULARY, 24, 1, 48);
        Model layers = Model.of(new Checkpoint(memory, Weights.init(new BitLlama(memory).params(), 7), Map.of()));
        assertThatIllegalArgumentException().isThrownBy(() -> layers.withWindow(256)).withMessage(
                "a window is for attention, got 256 for a model whose layers keep no tokens; leave it out");
    }
}
