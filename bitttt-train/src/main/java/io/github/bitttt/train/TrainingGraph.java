package io.github.bitttt.train;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.tensor.Int8Matrix;
import io.github.bitttt.tensor.TernaryMatrix;
import io.github.bitttt.train.graph.GraphIds;
import io.github.bitttt.train.graph.GraphOps;
import io.github.bitttt.train.graph.ReverseMode;
import io.github.bitttt.train.graph.StaticExecutor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A Bit-Llama of fixed batch shape as a compiled SameDiff graph: loss, gradients, logits, memories.
 *
 * <p>Rows are [B * T, ...], all tokens of the first stream first. Masters stay outside: {@link #load} puts their ternary
 * values into the graph, and {@link #gradient} gives the masters' straight-through gradients. For one thread; close it.
 */
public final class TrainingGraph implements AutoCloseable {
    private static final String LOGITS = "logits";

    private final BitLlama model;
    private final int batch;
    private final int tokens;
    private final SameDiff graph;
    private final StaticExecutor executor;
    private final Map<Param, INDArray> parameters = new LinkedHashMap<>();
    private final Map<Param, INDArray> gradients = new HashMap<>(); // flat
    private final List<MixerState<SDVariable>> first;
    private final List<MixerState<SDVariable>> last;
    private final int pieceRows; // of the head
    private final List<String> outputs; // last memories, and logits without gradients
    private final String probabilities;
    private final List<String> forward; // outputs and probabilities
    private final INDArray ids;
    private final INDArray targetIndex;
    private final INDArray targetWeights;
    private final Dropout dropout;

    /** Records and compiles the graph with gradients.
     *
     * @param model  the model
     * @param batch  B, streams of a step
     * @param tokens T, tokens of each stream
     * @return a graph whose parameters are not loaded yet */
    public static TrainingGraph training(BitLlama model, int batch, int tokens) {
        return training(model, batch, tokens, 0);
    }

    /** Records and compiles the graph with gradients and dropout.
     *
     * @param model   the model
     * @param batch   B, streams of a step
     * @param tokens  T, tokens of each stream
     * @param dropout share of the elements that {@link #drop} leaves out of a step, in [0, 1)
     * @return a graph whose parameters are not loaded yet */
    public static TrainingGraph training(BitLlama model, int batch, int tokens, double dropout) {
        return new TrainingGraph(model, batch, tokens, true, dropout);
    }

    /** Records and compiles the graph without gradients.
     *
     * @param model  the model
     * @param batch  B, streams of a step
     * @param tokens T, tokens of each stream
     * @return a graph whose parameters are not loaded yet */
    public static TrainingGraph inference(BitLlama model, int batch, int tokens) {
        return new TrainingGraph(model, batch, tokens, false, 0);
    }

    private TrainingGraph(BitLlama model, int batch, int tokens, boolean differentiate, double dropoutRate) {
        Backend.start();
        this.model = model;
        this.batch = batch;
        this.tokens = tokens;
        graph = SameDiff.create();
        int rows = Math.multiplyExact(batch, tokens);
        GraphOps ops = dropoutRate > 0
                ? GraphOps.dropping(graph, batch, tokens)
                : GraphOps.of(graph, batch, tokens);
        Map<String, INDArray> inputs = new HashMap<>();
        GraphIds idsVariable = ops.tokens("ids");
        SDVariable indexVariable = graph.placeHolder("targets", DataType.INT32, rows, 2);
        SDVariable weightsVariable = graph.placeHolder("target_weights", DataType.FLOAT, rows);
        ids = input(inputs, idsVariable.variable(), Nd4j.zeros(DataType.INT32, rows));
        targetIndex = input(inputs, indexVariable, Nd4j.zeros(DataType.INT32, rows, 2));
        targetWeights = input(inputs, weightsVariable, Nd4j.zeros(DataType.FLOAT, rows));
        List<MixerState<SDVariable>> memories = memories(ops, inputs);
        first = List.copyOf(memories);
        SDVariable hidden = model.hidden(ops, memories, idsVariable);
        last = List.copyOf(memories);
        dropout = new Dropout(dropoutRate, ops.dropouts().stream()
                .map(factors -> input(inputs, factors, Nd4j.ones(DataType.FLOAT, factors.placeholderShape())))
                .toList());
        outputs = new ArrayList<>();
        if (!differentiate) {
            graph.updateVariableNameAndReference(model.head(ops, hidden), LOGITS);
            outputs.add(LOGITS);
        }
        GraphOps.Loss loss = ops.headLoss(model.headWeight(), model.headBias(), hidden, indexVariable, weightsVariable);
        pieceRows = loss.pieceRows();
        probabilities = loss.probabilities().name();
        last.forEach(memory -> outputs.addAll(names(memory)));
        forward = new ArrayList<>(outputs);
        forward.add(probabilities);
        List<String> all = new ArrayList<>(forward);
        ops.variables().forEach((param, variable) -> parameters.put(param, variable.getArr()));
        if (differentiate) {
            List<String> wanted = ops.variables().values().stream().map(SDVariable::name).toList();
            Map<String, SDVariable> found = ReverseMode.gradients(graph, ops.rules(), loss.value(), wanted);
            found.values().forEach(gradient -> all.add(gradient.name()));
            executor = new StaticExecutor(graph, all, inputs);
            ops.variables().forEach((param, variable) -> gradients.put(param,
                    executor.array(found.get(variable.name()).name()).reshape(param.length())));
        } else {
            executor = new StaticExecutor(graph, all, inputs);
        }
    }

    private List<MixerState<SDVariable>> memories(GraphOps ops, Map<String, INDArray> inputs) {
        List<MixerState<SDVariable>> memories = new ArrayList<>();
        for (int i = 0; i < model.blocks().size(); i++) {
            String name = "memory." + i;
            MixerState<SDVariable> state = model.blocks().get(i).mixer().state(part -> ops.input(name, part));
            memories.add(state);
            state.parts().forEach(part -> input(inputs, part, Nd4j.zeros(DataType.FLOAT, part.placeholderShape())));
        }
        return memories;
    }

    private static INDArray input(Map<String, INDArray> inputs, SDVariable variable, INDArray array) {
        inputs.put(variable.name(), array);
        return array;
    }

    private static List<String> names(MixerState<SDVariable> state) {
        return state.parts().stream().map(SDVariable::name).toList();
    }

    /** Row in its piece and target of each token. */
    private int[] targetIndex(int[] targets) {
        int[] index = new int[2 * targets.length];
        for (int row = 0; row < targets.length; row++) {
            index[2 * row] = row % pieceRows;
            index[2 * row + 1] = targets[row];
        }
        return index;
    }

    /** Puts weights into the graph: ternary masters as beta * code, everything else as it is.
     *
     * @param weights masters, frozen or packed */
    public void load(Weights weights) {
        parameters.keySet().parallelStream().forEach(param -> {
            float[] values = values(param, weights.get(param));
            assign(parameters.get(param), values);
        });
    }

    // Into the array's own buffer: a new array for every transfer would leave the heap of the C library in pieces.
    static void assign(INDArray array, float[] values) {
        array.data().setData(values);
    }

    /** What a parameter multiplies by. */
    private float[] values(Param param, Weight weight) {
        return switch (weight) {
            case Weight.Floats(float[] values) when param.kind() == Param.Kind.TERNARY -> ternary(values);
            case Weight.Floats(float[] values) -> values;
            case Weight.Ternary(TernaryMatrix matrix) -> {
                byte[] codes = matrix.codes();
                float[] values = new float[codes.length];
                for (int i = 0; i < values.length; i++) {
                    values[i] = codes[i] * matrix.scale(i / matrix.columns(), i % matrix.columns());
                }
                yield values;
            }
            case Weight.Int8Rows(Int8Matrix matrix) -> {
                float[] values = new float[param.length()];
                for (int row = 0; row < matrix.rows(); row++) {
                    matrix.row(row, values, row * matrix.columns());
                }
                yield values;
            }
        };
    }

    private float[] ternary(float[] masters) {
        double beta = TernaryMatrix.beta(masters);
        float scale = model.config().quantization().scaleWeights() ? (float) beta : 1;
        double half = beta / 2;
        float[] values = new float[masters.length];
        for (int i = 0; i < values.length; i++) {
            // rint is half-to-even, so exactly half goes to zero.
            values[i] = masters[i] > half ? scale : masters[i] < -half ? -scale : 0;
        }
        return values;
    }

    /** Chooses what the next {@linkplain #step steps} leave out: a function of seed, window and token alone, so that it does not
     * matter how a batch is divided. Without a call nothing is left out, nor is it in {@link #loss}.
     *
     * @param seed  of the run
     * @param first number of the step's first window in the run; the others follow */
    public void drop(long seed, long first) {
        dropout.draw(seed, first, batch);
    }

    /** One forward and backward pass from empty or {@linkplain #setMemories set} memories.
     *
     * @param inputs  [B * T] token ids
     * @param targets [B * T] the ids that follow
     * @return mean cross entropy in nats, summed in double */
    public double step(int[] inputs, int[] targets) {
        float[] weights = new float[targets.length];
        Arrays.fill(weights, 1);
        return step(inputs, targets, weights);
    }

    /** One forward and backward pass with a weight for each target.
     *
     * @param inputs  [B * T] token ids
     * @param targets [B * T] the ids that follow
     * @param weights [B * T], at least 0 and not all 0; 0 leaves a target out of the loss
     * @return weighted mean cross entropy in nats, summed in double */
    public double step(int[] inputs, int[] targets, float[] weights) {
        double total = set(inputs, targets, weights);
        executor.run();
        return loss(weights, total);
    }

    /** The loss and the last memories alone, without gradients.
     *
     * @param inputs  [B * T] token ids
     * @param targets [B * T] the ids that follow
     * @param weights [B * T], at least 0 and not all 0
     * @return weighted mean cross entropy in nats, summed in double */
    public double loss(int[] inputs, int[] targets, float[] weights) {
        double total = set(inputs, targets, weights);
        dropout.keepAll();
        executor.run(forward);
        return loss(weights, total);
    }

    private double loss(float[] weights, double total) {
        float[] picked = executor.array(probabilities).data().asFloat();
        return IntStream.range(0, picked.length)
                .mapToDouble(i -> weights[i] == 0 ? 0 : -Math.log(picked[i]) * weights[i])
                .sum() / total;
    }

    private double set(int[] inputs, int[] targets, float[] weights) {
        check("inputs", inputs);
        check("targets", targets);
        double total = IntStream.range(0, weights.length).mapToDouble(i -> weights[i]).sum();
        if (weights.length != targets.length || !(total > 0)) {
            throw new IllegalArgumentException("weights must be one for each of " + targets.length
                    + " targets and not all 0, got " + weights.length + " with sum " + total);
        }
        float[] shares = new float[weights.length];
        for (int i = 0; i < shares.length; i++) {
            shares[i] = (float) (weights[i] / total);
        }
        ids.data().setData(inputs);
        targetIndex.data().setData(targetIndex(targets));
        assign(targetWeights, shares);
        return total;
    }

    private void check(String what, int[] tokenIds) {
        if (tokenIds.length != batch * tokens) {
            throw new IllegalArgumentException(
                    what + ": " + batch + " x " + tokens + " token ids are needed, got " + tokenIds.length);
        }
        for (int id : tokenIds) {
            Objects.checkIndex(id, model.config().vocabSize());
        }
    }

    /** The gradient of the last step's loss.
     *
     * @param param a parameter
     * @param into  receives d loss / d parameter, in row order */
    public void gradient(Param param, float[] into) {
        INDArray array = gradients.get(param);
        if (array == null) {
            throw new IllegalArgumentException(param + ": this graph computes no gradient for it");
        }
        if (into.length != array.length()) {
            throw new IllegalArgumentException(
                    param + ": the gradient has " + array.length() + " elements, got room for "
                            + into.length);
        }
        System.arraycopy(array.data().asFloat(), 0, into, 0, into.length);
    }

    /** The logits of every row.
     *
     * @param inputs [B * T] token ids
     * @return [B * T][V]
     * @throws IllegalStateException if this graph has gradients: then logits are not kept */
    public float[][] logits(int[] inputs) {
        if (!gradients.isEmpty()) {
            throw new IllegalStateException(
                    "a training graph keeps no logits, its largest array; ask one of TrainingGraph.inference");
        }
        check("inputs", inputs);
        ids.data().setData(inputs);
        executor.run(outputs);
        return executor.array(LOGITS).toFloatMatrix();
    }

    /** The state of each layer's mixer after the last pass, with B in front of each part's shape.
     *  @return copies, flat in row order */
    public List<MixerState<float[]>> memories() {
        return last.stream().<MixerState<float[]>>map(state -> state.map(this::read)).toList();
    }

    private float[] read(SDVariable variable) {
        INDArray array = executor.array(variable.name());
        return array.dup('c').reshape(array.length()).toFloatVector();
    }

    /** The memories from which the next passes begin: zeros until this is called.
     *
     * @param memories one for each layer, in the form of {@link #memories} */
    public void setMemories(List<MixerState<float[]>> memories) {
        for (int i = 0; i < first.size(); i++) {
            List<SDVariable> inputs = first.get(i).parts();
            for (int part = 0; part < inputs.size(); part++) {
                assign(executor.array(inputs.get(part).name()), memories.get(i).parts().get(part));
            }
        }
    }

    /** B.
     *  @return streams of a step */
    public int batch() {
        return batch;
    }

    /** T.
     *  @return tokens of each stream */
    public int tokens() {
        return tokens;
    }

    @Override
    public void close() {
        executor.close();
    }

    @Override
    public String toString() {
        return "TrainingGraph[B " + batch + ", T " + tokens + ", " + executor.operations() + " operations, "
                + executor.bytes() + " bytes]";
    }
}
