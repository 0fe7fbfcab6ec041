package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.CheckpointException;
import io.github.bitttt.llama.io.MemoryFile;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.KvCache;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.nn.cpu.CpuOps;
import io.github.bitttt.nn.cpu.Rows;
import io.github.bitttt.train.Trainer;
import io.github.bitttt.train.TrainingOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The attention baseline: three readings, their split law, causality, gradients, and what it does not offer. */
class AttentionTest {
    private static BitLlama model(int width, int heads, boolean rounded) {
        return new BitLlama(BitLlamaConfig.of(23, width, 2, 3 * width).withAttention(heads)
                .withQuantization(new Quantization(true, rounded)));
    }

    private static int[] ids(int count) {
        return new SplittableRandom(4).ints(count, 0, 23).toArray();
    }

    @ParameterizedTest(name = "D {0}, H {1}, T {2}, int8 {3}")
    @CsvSource({"6, 1, 1, false", "6, 3, 7, false", "40, 4, 65, false", "34, 1, 17, true"})
    void threeWays(int width, int heads, int tokens, boolean rounded) {
        BitLlama model = model(width, heads, rounded);
        Weights weights = Weights.init(model.params(), 9);
        // A rounding tie that flips moves a sum by one step.
        ModelLaws.threeWays(model, weights, tokens, rounded ? 3e-2 : 1e-4);
    }

    @ParameterizedTest(name = "split {0} of 20")
    @CsvSource({"1", "7", "19"})
    void splitLawAndCausality(int split) {
        BitLlama model = model(12, 2, false);
        ModelLaws.splitLawAndCausality(model, Weights.init(model.params(), 2), split);
    }

    /** Of a wide layer more rows are multiplied together, and attention divides its work otherwise: sums and answers stay the same. */
    @ParameterizedTest(name = "D {0}")
    @ValueSource(ints = {96, 1040})
    void rowsReadTogetherAreThoseReadOneByOneToTheBit(int width) {
        BitLlama model = model(width, 4, true);
        CpuOps ops = new CpuOps(Weights.init(model.params(), 6).freeze(true));
        int[] ids = ids(70);
        float[] whole = model.forward(ops, model.memories(CpuOps::empty), ops.tokens(ids, 0, 70)).toArray();
        List<MixerState<Rows>> caches = model.memories(CpuOps::empty);
        for (int t = 0; t < 70; t++) {
            ops.reset();
            assertThat(model.forward(ops, caches, ops.token(ids[t])).toArray())
                    .containsExactly(Arrays.copyOfRange(whole, 23 * t, 23 * (t + 1)));
        }
    }

    /** Embedding and gains reach the loss through attention; codes are held fixed. */
    @Test
    void gradientsAreCentralDifferencesOfNaive() {
        BitLlama model = model(12, 2, false);
        ModelLaws.gradients(model, Weights.init(model.params(), 3), 1e-3, _ -> 1e-4);
    }

    @Test
    void sessionsReadWithAGrowingCacheAndForgetIt() {
        BitLlama model = model(12, 2, false);
        Weights weights = Weights.init(model.params(), 5);
        int[] ids = ids(150);
        double[] expected = ModelLaws.naive(model, weights, ids)[149];
        try (Session session = Model.of(new Checkpoint(model.config(), weights, Map.of())).newSession()) {
            session.feed(Arrays.copyOf(ids, 10));
            session.reset();
            session.feed(Arrays.copyOf(ids, 149));
            assertThat(GoldenFixture.relativeError(expected, GoldenFixture.doubles(session.feed(ids[149]))))
                    .isLessThan(1e-4);
        }
    }

    /** Its cache copies, saves and loads as a memory does, empty or not. */
    @ParameterizedTest(name = "after {0} tokens")
    @ValueSource(ints = {0, 1, 70})
    void cachesForkSaveAndLoad(int read, @TempDir Path folder) throws IOException {
        BitLlama model = model(12, 2, false);
        Model running = Model.of(new Checkpoint(model.config(), Weights.init(model.params(), 5), Map.of()));
        assertThat(running.memoryBytes()).isZero();
        assertThat(running.memoryBytesPerToken()).isEqualTo(4 * 2 * 2 * 12);
        int[] ids = ids(read + 5);
        Path file = folder.resolve("cache");
        try (Session session = running.newSession(); Session loaded = running.newSession()) {
            loaded.feed(3);
            if (read > 0) {
                session.feed(Arrays.copyOf(ids, read));
            }
            session.saveMemory(file);
            loaded.loadMemory(file);
            try (Session fork = session.fork()) {
                for (int t = read; t < ids.length; t++) {
                    float[] expected = session.feed(ids[t]).clone();
                    assertThat(fork.feed(ids[t])).isEqualTo(expected);
                    assertThat(loaded.feed(ids[t])).isEqualTo(expected);
                }
            }
        }
    }

    @Test
    void cachesWithOtherNumbersOfTokensAreNamed(@TempDir Path folder) throws IOException {
        BitLlama model = model(12, 2, false);
        Path file = folder.resolve("cache");
        MemoryFile.save(file, model, "mine", List.of(new KvCache<>(new float[24], new float[24]),
                new KvCache<>(new float[36], new float[24])));
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> MemoryFile.load(file, model, "mine"))
                .withMessage(file + ": tensor layers.1.attention.keys must have shape [2, 12], got F32 [3, 12]");
    }

    @Test
    void aboutAsManyParameters() {
        BitLlama ttt = new BitLlama(BitLlamaConfig.of(2048, 192, 4, 512));
        BitLlama attention = new BitLlama(ttt.config().withAttention(4));
        assertThat((double) attention.parameters()).isCloseTo(ttt.parameters(), offset(0.01 * ttt.parameters()));
        assertThatIllegalArgumentException().isThrownBy(() -> ttt.config().withAttention(5))
                .withMessage("attention.num_heads must divide hidden_size 192 into even parts, got 5");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Trainer(attention, Weights.init(attention.params(), 1), new int[2000],
                        TrainingOptions.of(10).withBatch(1, 16).withCarry(2)))
                .withMessage("attention has no memory of constant size to carry: carry must be 1, got 2");
    }
}
