package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.nn.cpu.CpuOps;
import io.github.bitttt.nn.cpu.Rows;
import io.github.bitttt.nn.naive.Doubles;
import io.github.bitttt.nn.naive.NaiveOps;
import io.github.bitttt.train.TrainingGraph;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;

/** What holds of a whole model, whatever its mixers are: three readings, the split law, causality, gradients. */
final class ModelLaws {
    private ModelLaws() {
    }

    static int[] ids(BitLlama model, int count) {
        return new SplittableRandom(4).ints(count, 0, model.config().vocabSize()).toArray();
    }

    static double[][] naive(BitLlama model, Weights weights, int... ids) {
        return model.forward(new NaiveOps(weights), model.memories(NaiveOps::empty), Doubles.tokens(ids)).rows();
    }

    /** Two streams through the graph and the CPU, against the loops. */
    static void threeWays(BitLlama model, Weights weights, int tokens, double tolerance) {
        int[] ids = ids(model, 2 * tokens);
        try (TrainingGraph graph = TrainingGraph.inference(model, 2, tokens)) {
            graph.load(weights);
            float[][] logits = graph.logits(ids);
            for (int stream = 0; stream < 2; stream++) {
                int[] own = Arrays.copyOfRange(ids, stream * tokens, (stream + 1) * tokens);
                double[][] expected = naive(model, weights, own);
                CpuOps ops = new CpuOps(weights.freeze(true));
                Rows cpu = model.forward(ops, model.memories(CpuOps::empty), ops.tokens(own, 0, tokens));
                assertThat(GoldenFixture.relativeError(GoldenFixture.flat(expected),
                        GoldenFixture.doubles(cpu.toArray()))).isLessThan(tolerance);
                for (int t = 0; t < tokens; t++) {
                    assertThat(GoldenFixture.relativeError(expected[t],
                            GoldenFixture.doubles(logits[stream * tokens + t]))).isLessThan(tolerance);
                }
            }
        }
    }

    /** A text in two pieces is the text at once, and what comes later changes nothing before it. */
    static void splitLawAndCausality(BitLlama model, Weights weights, int split) {
        int[] ids = ids(model, 20);
        double[][] whole = naive(model, weights, ids);
        NaiveOps naive = new NaiveOps(weights);
        List<MixerState<Doubles>> memories = model.memories(NaiveOps::empty);
        CpuOps cpu = new CpuOps(weights.freeze(true));
        List<MixerState<Rows>> caches = model.memories(CpuOps::empty);
        model.forward(naive, memories, Doubles.tokens(Arrays.copyOf(ids, split)));
        model.forward(cpu, caches, cpu.tokens(ids, 0, split));
        cpu.reset();
        double[][] rest = model.forward(naive, memories, Doubles.tokens(Arrays.copyOfRange(ids, split, 20))).rows();
        float[] cpuRest = model.forward(cpu, caches, cpu.tokens(ids, split, 20)).toArray();
        double[] expected = GoldenFixture.flat(Arrays.copyOfRange(whole, split, 20));
        assertThat(GoldenFixture.relativeError(expected, GoldenFixture.flat(rest))).isLessThan(1e-12);
        assertThat(GoldenFixture.relativeError(expected, GoldenFixture.doubles(cpuRest))).isLessThan(1e-4);
        ids[split] = (ids[split] + 1) % model.config().vocabSize();
        double[][] changed = naive(model, weights, ids);
        assertThat(Arrays.copyOf(changed, split)).isDeepEqualTo(Arrays.copyOf(whole, split));
        assertThat(changed[19]).isNotEqualTo(whole[19]);
    }

    /** All but the codes, which are held fixed, against central differences of the loops.
     *
     * @param step      of the differences
     * @param tolerance of a derivative */
    static void gradients(BitLlama model, Weights weights, double step, DoubleUnaryOperator tolerance) {
        int[] ids = ids(model, 8);
        int[] targets = Arrays.copyOf(Arrays.copyOfRange(ids, 1, 9), 8);
        try (TrainingGraph graph = TrainingGraph.training(model, 1, 8)) {
            graph.load(weights);
            graph.step(ids, targets);
            for (Param param : model.params()) {
                if (param.kind() != Param.Kind.TERNARY) {
                    float[] gradient = new float[param.length()];
                    graph.gradient(param, gradient);
                    for (int i = 0; i < gradient.length; i += Math.max(1, gradient.length / 7)) {
                        double difference = (loss(model, weights, param, i, step, ids, targets)
                                - loss(model, weights, param, i, -step, ids, targets)) / (2 * step);
                        assertThat((double) gradient[i]).as(param.path() + "[" + i + "]").isCloseTo(difference,
                                offset(tolerance.applyAsDouble(difference)));
                    }
                }
            }
        }
    }

    private static double loss(BitLlama model, Weights weights, Param param, int index, double step, int[] ids,
            int[] targets) {
        SequencedMap<Param, float[]> moved = new LinkedHashMap<>();
        model.params().forEach(each -> moved.put(each, weights.floats(each).clone()));
        moved.get(param)[index] += (float) step;
        double[][] logits = naive(model, Weights.of(moved), ids);
        double nats = 0;
        for (int t = 0; t < ids.length; t++) {
            double sum = Arrays.stream(logits[t]).map(Math::exp).sum();
            nats += Math.log(sum) - logits[t][targets[t]];
        }
        return nats / ids.length;
    }
}
