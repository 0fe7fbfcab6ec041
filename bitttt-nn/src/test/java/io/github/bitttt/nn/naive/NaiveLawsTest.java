package io.github.bitttt.nn.naive;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.BitLinear;
import io.github.bitttt.nn.InnerRate;
import io.github.bitttt.nn.Mixed;
import io.github.bitttt.nn.Objective;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Read;
import io.github.bitttt.nn.TttLayer;
import io.github.bitttt.nn.TttState;
import io.github.bitttt.nn.Weights;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the definition itself must obey. */
class NaiveLawsTest {
    private static final int TOKENS = 13;

    private static TttLayer layer(Objective objective) {
        Param decay = new Param("decay", List.of(3, 7), Param.Kind.FLOAT, new Param.Init.Normal(1));
        Param rate = new Param("rate", List.of(3, 7), Param.Kind.FLOAT, new Param.Init.Normal(1));
        return new TttLayer(new BitLinear(Param.ternary("down", 6, 7), Quantization.BITNET),
                new BitLinear(Param.ternary("up", 7, 6), Quantization.BITNET), 3, objective,
                new InnerRate.Learned(rate, Param.vector("bias", 3, 0)),
                Optional.of(new InnerRate.Learned(decay, Param.vector("decay.bias", 3, 1))),
                Optional.of(Param.vector("shift", 7, 0.3)), Read.AFTER);
    }

    private static Doubles input(long seed) {
        Random random = new Random(seed);
        double[][] rows = new double[TOKENS][7];
        for (double[] row : rows) {
            Arrays.setAll(row, _ -> random.nextGaussian());
        }
        return new Doubles(rows);
    }

    private static Doubles slice(Doubles x, int from, int to) {
        return new Doubles(Arrays.copyOfRange(x.rows(), from, to));
    }

    @ParameterizedTest
    @EnumSource
    void splitLaw(Objective objective) {
        TttLayer layer = layer(objective);
        NaiveOps ops = new NaiveOps(Weights.init(layer.params(), 5));
        Doubles x = input(11);
        Mixed<Doubles> whole = layer.forward(ops, layer.state(NaiveOps::empty), x);
        for (int split = 1; split < TOKENS; split++) {
            Mixed<Doubles> head = layer.forward(ops, layer.state(NaiveOps::empty), slice(x, 0, split));
            Mixed<Doubles> tail = layer.forward(ops, head.state(), slice(x, split, TOKENS));
            assertThat(tail.output().rows()).isDeepEqualTo(slice(whole.output(), split, TOKENS).rows());
            assertThat(tail.state().parts().getFirst().rows())
                    .isDeepEqualTo(whole.state().parts().getFirst().rows());
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 6, 12})
    void causality(int changed) {
        TttLayer layer = layer(Objective.PREDICT_NEXT);
        NaiveOps ops = new NaiveOps(Weights.init(layer.params(), 5));
        Doubles x = input(11);
        Doubles other = new Doubles(x.rows().clone());
        other.rows()[changed] = input(12).rows()[0];
        Doubles before = layer.forward(ops, layer.state(NaiveOps::empty), x).output();
        Doubles after = layer.forward(ops, layer.state(NaiveOps::empty), other).output();
        assertThat(slice(after, 0, changed).rows()).isDeepEqualTo(slice(before, 0, changed).rows());
        assertThat(after.rows()[changed]).isNotEqualTo(before.rows()[changed]);
    }

    /** ||W - I|| never grows with "reconstruct"; ||W||^2 grows by at most eta a step with "predict_next". */
    @ParameterizedTest
    @EnumSource
    void memoryStaysBounded(Objective objective) {
        TttLayer layer = layer(objective);
        NaiveOps ops = new NaiveOps(Weights.init(layer.params(), 5));
        TttState<Doubles> memory = layer.state(NaiveOps::empty);
        double identity = distance(memory, 1);
        for (int round = 1; round <= 50; round++) {
            memory = (TttState<Doubles>) layer.forward(ops, memory, input(round)).state();
            assertThat(distance(memory, 1)).isLessThanOrEqualTo(
                    objective == Objective.RECONSTRUCT ? identity + 1e-12 : Double.POSITIVE_INFINITY);
            assertThat(distance(memory, 0)).isLessThanOrEqualTo(Math.sqrt(3.0 * TOKENS * round) + 3);
        }
    }

    /** Frobenius norm of W less {@code diagonal} times the identity, over all heads. */
    private static double distance(TttState<Doubles> memory, double diagonal) {
        double squares = 0;
        double[][] rows = memory.weights().rows();
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < rows[i].length; j++) {
                double value = rows[i][j] - (i % rows[i].length == j ? diagonal : 0);
                squares += value * value;
            }
        }
        return Math.sqrt(squares);
    }
}
