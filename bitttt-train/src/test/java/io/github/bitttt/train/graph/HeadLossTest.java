package io.github.bitttt.train.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.nn.Param;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** The head's loss in pieces: against plain loops, and its gradients against central differences of those. */
class HeadLossTest {
    private static final int ROWS = 6;
    private static final int WIDTH = 3;

    @Test
    void piecesFitAndDivideTheRows() {
        assertThat(HeadLoss.pieceRows(4096, 4096)).isEqualTo(512);
        assertThat(HeadLoss.pieceRows(33, 60)).isEqualTo(33);
        assertThat(HeadLoss.pieceRows(4093, 4096)).isEqualTo(4093); // a prime: no equal pieces
        assertThat(HeadLoss.pieceRows(ROWS, 1 << 20)).isEqualTo(2);
    }

    /** A vocabulary of 2^20 makes three pieces of the six rows, one of 5 a single piece. */
    @ParameterizedTest(name = "V {0}")
    @ValueSource(ints = {5, 1 << 20})
    void lossAndGradients(int vocabulary) {
        SplittableRandom random = new SplittableRandom(3);
        float[] hidden = normal(random, ROWS * WIDTH);
        float[] head = normal(random, vocabulary * WIDTH);
        float[] bias = normal(random, vocabulary);
        int[] targets = {1, 4, 0, 2, 3, 4};
        float[] weights = {0.2f, 0, 0.3f, 0.1f, 0.25f, 0.15f};
        SameDiff graph = SameDiff.create();
        GraphOps ops = GraphOps.of(graph, 1, ROWS);
        Param weight = new Param("head", List.of(vocabulary, WIDTH), Param.Kind.ROWS, new Param.Init.Constant(0));
        Param offsets = Param.vector("bias", vocabulary, 0);
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, ROWS, WIDTH);
        SDVariable index = graph.placeHolder("index", DataType.INT32, ROWS, 2);
        SDVariable shares = graph.placeHolder("shares", DataType.FLOAT, ROWS);
        GraphOps.Loss loss = ops.headLoss(weight, Optional.of(offsets), ops.input(x, WIDTH), index, shares);
        Map<String, SDVariable> found = ReverseMode.gradients(graph, ops.rules(), loss.value(),
                List.of("x", "head", "bias"));
        Map<String, INDArray> inputs = new HashMap<>();
        inputs.put("x", Nd4j.createFromArray(hidden).reshape(ROWS, WIDTH));
        int[] pairs = new int[2 * ROWS];
        for (int row = 0; row < ROWS; row++) {
            pairs[2 * row] = row % loss.pieceRows();
            pairs[2 * row + 1] = targets[row];
        }
        inputs.put("index", Nd4j.createFromArray(pairs).reshape(ROWS, 2));
        inputs.put("shares", Nd4j.createFromArray(weights));
        ops.variables().get(weight).setArray(Nd4j.createFromArray(head).reshape(vocabulary, WIDTH));
        ops.variables().get(offsets).setArray(Nd4j.createFromArray(bias));
        List<String> outputs = List.of(loss.value().name(), found.get("x").name(), found.get("head").name(),
                found.get("bias").name());
        try (StaticExecutor executor = new StaticExecutor(graph, outputs, inputs)) {
            executor.run();
            double expected = loss(hidden, head, bias, targets, weights);
            assertThat((double) executor.array(outputs.get(0)).getFloat(0)).isCloseTo(expected, offset(1e-4));
            Runnable[] checks = {() -> check(executor.array(outputs.get(1)), hidden,
                    () -> loss(hidden, head, bias, targets, weights)),
                    () -> check(executor.array(outputs.get(2)), head,
                            () -> loss(hidden, head, bias, targets, weights)),
                    () -> check(executor.array(outputs.get(3)), bias,
                            () -> loss(hidden, head, bias, targets, weights))};
            for (Runnable check : checks) {
                check.run();
            }
        }
    }

    private interface Loss {
        double now();
    }

    /** Some gradients against central differences. */
    private static void check(INDArray gradient, float[] values, Loss loss) {
        float[] got = gradient.reshape(values.length).toFloatVector();
        for (int i = 0; i < Math.min(values.length, 8); i++) {
            float kept = values[i];
            values[i] = kept + 0.01f;
            double above = loss.now();
            values[i] = kept - 0.01f;
            double below = loss.now();
            values[i] = kept;
            assertThat((double) got[i]).isCloseTo((above - below) / 0.02, offset(1e-4));
        }
    }

    private static double loss(float[] hidden, float[] head, float[] bias, int[] targets, float[] weights) {
        double loss = 0;
        for (int row = 0; row < ROWS; row++) {
            double sum = 0;
            double wanted = 0;
            for (int out = 0; out < bias.length; out++) {
                double logit = bias[out];
                for (int i = 0; i < WIDTH; i++) {
                    logit += (double) hidden[row * WIDTH + i] * head[out * WIDTH + i];
                }
                sum += Math.exp(logit);
                wanted = out == targets[row] ? logit : wanted;
            }
            loss += weights[row] * (Math.log(sum) - wanted);
        }
        return loss;
    }

    private static float[] normal(SplittableRandom random, int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) (0.5 * random.nextGaussian());
        }
        return values;
    }
}
