package io.github.bitttt.tests;

import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.TttState;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.tensor.nd4j.TernaryArrays;
import io.github.bitttt.tests.Instruction.Sizes;
import io.github.bitttt.train.graph.GraphOps;
import io.github.bitttt.train.graph.ReverseMode;
import io.github.bitttt.train.graph.StaticExecutor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Instructions recorded into a graph of one stream, run, and differentiated. */
final class Graphs {
    private Graphs() {
    }

    private record Recorded(SameDiff graph, GraphOps ops, List<SDVariable> results, Map<String, INDArray> inputs) {}

    /** The results of an instruction, flat. */
    static List<double[]> run(Instruction instruction, Sizes sizes, Weights weights, int tokens, float[] x,
            TttState<float[]> memory) {
        Recorded recorded = record(instruction, sizes, weights, tokens, x, memory, false);
        List<String> names = recorded.results().stream().map(SDVariable::name).toList();
        try (StaticExecutor executor = new StaticExecutor(recorded.graph(), names, recorded.inputs())) {
            executor.run();
            return names.stream().map(name -> flat(executor.array(name))).toList();
        }
    }

    /** What each square counts in the loss: not all the same, or the derivative of a normalised row would be zero. */
    static double share(int index) {
        return 1 + 0.5 * Math.sin(index);
    }

    private static float[] shares(int size) {
        float[] shares = new float[size];
        for (int i = 0; i < size; i++) {
            shares[i] = (float) share(i);
        }
        return shares;
    }

    /** The gradients of the sum of all results' squares, each times its {@link #share}: by parameter, and of the inputs by name. With {@code stock}
     * every operation differentiates itself, otherwise the hand-written rules speak. */
    static Map<String, double[]> gradients(Instruction instruction, Sizes sizes, Weights weights, int tokens, float[] x,
            TttState<float[]> memory, boolean stock) {
        Recorded recorded = record(instruction, sizes, weights, tokens, x, memory, stock);
        SDVariable loss = null;
        for (SDVariable result : recorded.results()) {
            // A product, because a reduction of a single number fails in ND4J.
            int size = Math
                    .toIntExact(Arrays.stream(result.eval(recorded.inputs()).shape()).reduce(1, Math::multiplyExact));
            SDVariable sum = recorded.graph()
                    .mmul(recorded.graph().constant(Nd4j.createFromArray(shares(size)).reshape(1, size)),
                            recorded.graph().math().square(result).reshape(size, 1))
                    .reshape(new long[0]);
            loss = loss == null ? sum : loss.add(sum);
        }
        List<String> wanted = recorded.graph().variables().stream().map(SDVariable::name)
                .filter(name -> recorded.inputs().containsKey(name)
                        || recorded.ops().variables().keySet().stream().anyMatch(param -> param.path().equals(name)))
                .toList();
        Map<String, SDVariable> found = ReverseMode.gradients(recorded.graph(), recorded.ops().rules(), loss, wanted);
        List<String> names = found.values().stream().map(SDVariable::name).distinct().toList();
        try (StaticExecutor executor = new StaticExecutor(recorded.graph(), names, recorded.inputs())) {
            executor.run();
            Map<String, double[]> gradients = new LinkedHashMap<>();
            found.forEach((name, gradient) -> gradients.put(name, flat(executor.array(gradient.name()))));
            return gradients;
        }
    }

    private static Recorded record(Instruction instruction, Sizes sizes, Weights weights, int tokens, float[] x,
            TttState<float[]> memory, boolean stock) {
        SameDiff graph = SameDiff.create();
        GraphOps ops = stock ? GraphOps.stock(graph, 1, tokens) : GraphOps.of(graph, 1, tokens);
        TttState<SDVariable> known = sizes.layer(false).state(part -> ops.input("memory", part));
        SDVariable rows = ops.input(graph.placeHolder("x", DataType.FLOAT, tokens, sizes.width()), sizes.width());
        Map<String, INDArray> inputs = new HashMap<>();
        inputs.put("x", Nd4j.createFromArray(x).reshape(tokens, sizes.width()));
        int d = sizes.memoryWidth() / sizes.heads();
        inputs.put("memory.memory", Nd4j.createFromArray(memory.weights()).reshape(1, sizes.heads(), d, d));
        inputs.put("memory.previous", Nd4j.createFromArray(memory.previous()).reshape(1, sizes.width()));
        inputs.put("memory.feature", Nd4j.createFromArray(memory.feature()).reshape(1, sizes.heads(), d));
        List<SDVariable> results = instruction.apply(ops, sizes, rows, known);
        ops.variables().forEach((param, variable) -> variable.setArray(array(param, weights.get(param))));
        return new Recorded(graph, ops, results, inputs);
    }

    static INDArray array(Param param, Weight weight) {
        long[] shape = param.shape().stream().mapToLong(Integer::longValue).toArray();
        return switch (weight) {
            case Weight.Floats(float[] values) -> Nd4j.createFromArray(values).reshape(shape);
            case Weight.Ternary(var matrix) -> TernaryArrays.toArray(matrix);
            case Weight.Int8Rows _ -> throw new IllegalArgumentException(param + ": int8 rows");
        };
    }

    private static double[] flat(INDArray array) {
        return array.dup('c').reshape(array.length()).castTo(DataType.DOUBLE).toDoubleVector();
    }
}
