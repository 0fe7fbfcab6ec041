package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.ExpertsForm;
import io.github.bitttt.llama.GatedDeltaForm;
import io.github.bitttt.llama.HeadForm;
import io.github.bitttt.llama.MlpForm;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.nn.Activation;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.Hadamard;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.nn.cpu.CpuOps;
import io.github.bitttt.nn.cpu.Rows;
import io.github.bitttt.nn.naive.Doubles;
import io.github.bitttt.nn.naive.NaiveOps;
import io.github.bitttt.train.TrainingGraph;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Gated delta layers, experts and rotations of a whole model: readings, split law, gradients, states, and what is refused. */
class GatedDeltaTest {
    private static final int VOCABULARY = 23;
    // Heads of keys that are shared, and matrices W that are not square.
    private static final GatedDeltaForm FORM = new GatedDeltaForm(4, 2, 5, 6, 4);

    private static BitLlama model(int width, boolean rounded) {
        return new BitLlama(BitLlamaConfig.of(VOCABULARY, width, 2, 3 * width).withMixers(List.of(FORM))
                .withQuantization(new Quantization(true, rounded)));
    }

    private static int[] ids(int count) {
        return new SplittableRandom(4).ints(count, 0, VOCABULARY).toArray();
    }

    /** Rates, decays and gains are constants at the start, which would test little. */
    private static Weights weights(BitLlama model, int seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Weights first = Weights.init(model.params(), seed);
        SequencedMap<Param, float[]> moved = new LinkedHashMap<>();
        for (Param param : model.params()) {
            float[] values = first.floats(param).clone();
            if (param.kind() == Param.Kind.FLOAT) {
                for (int i = 0; i < values.length; i++) {
                    values[i] += (float) (0.3 * random.nextGaussian());
                }
            }
            moved.put(param, values);
        }
        return Weights.of(moved);
    }

    @ParameterizedTest(name = "D {0}, T {1}, int8 {2}")
    @CsvSource({"6, 1, false", "6, 7, false", "40, 70, false", "34, 17, true"})
    void threeWays(int width, int tokens, boolean rounded) {
        BitLlama model = model(width, rounded);
        Weights weights = weights(model, 9);
        // A rounding tie that flips moves a sum by one step.
        ModelLaws.threeWays(model, weights, tokens, rounded ? 3e-2 : 1e-4);
    }

    @ParameterizedTest(name = "split {0} of 20")
    @CsvSource({"1", "2", "7", "19"})
    void splitLawAndCausality(int split) {
        BitLlama model = model(12, false);
        ModelLaws.splitLawAndCausality(model, weights(model, 2), split);
    }

    /** Embedding, gains, kernel, rates and decays reach the loss; codes are held fixed. */
    @Test
    void gradientsAreCentralDifferencesOfNaive() {
        BitLlama model = model(12, false);
        // Embeddings are small: differences of a larger step are no derivatives any more.
        ModelLaws.gradients(model, weights(model, 3), 1e-4, slope -> 5e-4 * Math.max(1, Math.abs(slope)));
    }

    @Test
    void memoriesForkSaveAndLoadToTheBit(@TempDir Path folder) throws IOException {
        BitLlama model = model(12, false);
        Model running = Model.of(new Checkpoint(model.config(), weights(model, 5), Map.of()));
        assertThat(running.memoryBytes()).isEqualTo(2 * 4 * (4 * 5 * 6 + 3 * (2 * 2 * 6 + 4 * 5)));
        assertThat(running.memoryBytesPerToken()).isZero();
        int[] ids = ids(75);
        Path file = folder.resolve("memory");
        try (Session session = running.newSession(); Session loaded = running.newSession()) {
            loaded.feed(3);
            session.feed(Arrays.copyOf(ids, 70));
            session.saveMemory(file);
            loaded.loadMemory(file);
            try (Session fork = session.fork()) {
                for (int t = 70; t < ids.length; t++) {
                    float[] expected = session.feed(ids[t]).clone();
                    assertThat(fork.feed(ids[t])).isEqualTo(expected);
                    assertThat(loaded.feed(ids[t])).isEqualTo(expected);
                }
            }
        }
    }

    private static BitLlama withExperts(boolean renormalised) {
        return new BitLlama(BitLlamaConfig.of(VOCABULARY, 12, 2, 20).withQuantization(new Quantization(true, false))
                .with(new MlpForm(Activation.SILU, false,
                        Optional.of(new ExpertsForm(5, 2, renormalised, 8, 7, Set.of(0)))), HeadForm.OWN));
    }

    @ParameterizedTest
    @CsvSource({"true", "false"})
    void expertsAreTheSameInBothReadings(boolean renormalised, @TempDir Path folder) throws IOException {
        BitLlama model = withExperts(renormalised);
        Weights weights = weights(model, 6);
        int[] ids = ids(30);
        CpuOps ops = new CpuOps(weights.freeze(true));
        Rows cpu = model.forward(ops, model.memories(CpuOps::empty), ops.tokens(ids, 0, 30));
        assertThat(GoldenFixture.relativeError(GoldenFixture.flat(ModelLaws.naive(model, weights, ids)),
                GoldenFixture.doubles(cpu.toArray()))).isLessThan(1e-4);
        Checkpoint checkpoint = new Checkpoint(model.config(), weights, Map.of()).pack();
        checkpoint.save(folder.resolve("model"), "");
        assertThat(Checkpoint.load(folder.resolve("model")).fingerprint()).isEqualTo(checkpoint.fingerprint());
    }

    @Test
    void whatIsNotTrainedIsRefusedByName() {
        assertThatThrownBy(() -> TrainingGraph.training(withExperts(true), 1, 4))
                .isInstanceOf(UnsupportedOperationException.class).hasMessageContaining("layers.1.mlp.gate.weight")
                .hasMessageContaining("experts are not trained");
        BitLlama rotated = new BitLlama(BitLlamaConfig.of(VOCABULARY, 16, 1, 16)
                .withMixers(List.of(GatedDeltaForm.of(2, 8))).withHadamard(8));
        assertThatThrownBy(() -> TrainingGraph.training(rotated, 1, 4))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessageContaining("rotated weights are not trained");
    }

    /** Rotating and rotating back is nothing, and of blocks of 2 it is what one can compute by hand. */
    @Test
    void rotations() {
        Param signs = Param.vector("signs", 4, 1);
        Weights weights = new Weights(new LinkedHashMap<>(Map.of(signs, new Weight.Floats(new float[]{1, -1, 1, 1}))));
        Hadamard rotation = new Hadamard(signs, 2);
        double root = Math.sqrt(0.5);
        NaiveOps naive = new NaiveOps(weights);
        Doubles turned = naive.rotate(rotation, Doubles.row(new double[]{3, 5, 1, 2}));
        assertThat(turned.rows()[0]).containsExactly(new double[]{-2 * root, 8 * root, 3 * root, -root}, offset(1e-12));
        assertThat(naive.rotateBack(rotation, turned).rows()[0]).containsExactly(new double[]{3, 5, 1, 2},
                offset(1e-12));
        CpuOps cpu = new CpuOps(weights);
        Rows row = Rows.zeros(1, 4);
        row.set(new float[]{3, 5, 1, 2});
        assertThat(GoldenFixture.doubles(cpu.rotate(rotation, row).toArray())).containsExactly(turned.rows()[0],
                offset(1e-6));
        assertThat(cpu.rotateBack(rotation, cpu.rotate(rotation, row)).toArray()).containsExactly(
                new float[]{3, 5, 1, 2}, offset(1e-6f));
    }

    @Test
    void formsAreChecked() {
        assertThatIllegalArgumentException().isThrownBy(() -> new GatedDeltaForm(4, 3, 5, 6, 4))
                .withMessageContaining("gated_delta.num_key_heads must divide gated_delta.num_value_heads 4, got 3");
        assertThatIllegalArgumentException().isThrownBy(() -> new GatedDeltaForm(4, 2, 5, 6, 1))
                .withMessageContaining("gated_delta.conv_kernel_dim must be at least 2, got 1");
        assertThatIllegalArgumentException().isThrownBy(() -> new GatedDeltaForm(1 << 12, 1 << 12, 1 << 9, 1 << 9, 4))
                .withMessageContaining("numbers a layer");
        assertThatIllegalArgumentException().isThrownBy(() -> new Hadamard(Param.vector("signs", 12, 1), 3))
                .withMessageContaining("a power of two that divides the width, got 3");
        assertThatIllegalArgumentException().isThrownBy(() -> new ExpertsForm(4, 5, true, 8, 8, Set.of()))
                .withMessageContaining("num_experts_per_tok must be at most 4, got 5");
    }
}
