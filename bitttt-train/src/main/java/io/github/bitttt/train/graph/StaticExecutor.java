package io.github.bitttt.train.graph;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.functions.DifferentialFunction;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.VariableType;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.api.ops.BaseOp;
import org.nd4j.linalg.api.ops.CustomOp;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.Op;
import org.nd4j.linalg.api.ops.OpContext;
import org.nd4j.linalg.api.ops.ScalarOp;
import org.nd4j.linalg.api.shape.LongShapeDescriptor;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Runs a SameDiff graph of fixed shapes again and again: every operation is bound once to buffers that are planned once.
 *
 * <p>A buffer serves again when its last reader has run; a reshape is a view. Values are read and set through ND4J arrays
 * only, so nothing here knows where they live. For one thread.
 */
public final class StaticExecutor implements AutoCloseable {
    private final SameDiff graph;
    private final List<Bound> bound = new ArrayList<>();
    private final Map<String, INDArray> arrays = new HashMap<>();
    // The buffer behind each array, and how many names still read it.
    private final Map<String, INDArray> buffers = new HashMap<>();
    private final Map<INDArray, int[]> readers = new IdentityHashMap<>();
    private final Map<BufferSize, Deque<INDArray>> free = new HashMap<>();
    private final Map<String, Integer> lastUse = new HashMap<>();
    // How many bound operations must have run before a value is there.
    private final Map<String, Integer> readyAfter = new HashMap<>();
    private long bytes;

    private record Bound(DifferentialFunction function, OpContext context) {
        void run() {
            if (function instanceof CustomOp custom) {
                Nd4j.exec(custom, context);
            } else {
                Nd4j.exec((Op) function, context);
            }
        }
    }

    private record BufferSize(DataType type, long length) {}

    /** Plans and binds what the outputs need; runs it once.
     *
     * @param graph        the graph
     * @param outputs      names of the values to be read after {@link #run}
     * @param placeholders an array for each placeholder; its shape is fixed, its contents are set by {@link #array} */
    public StaticExecutor(SameDiff graph, Collection<String> outputs, Map<String, INDArray> placeholders) {
        this.graph = graph;
        arrays.putAll(placeholders);
        List<SameDiffOp> order = order(outputs);
        for (int i = 0; i < order.size(); i++) {
            for (String input : inputs(order.get(i))) {
                lastUse.put(input, i);
            }
        }
        outputs.forEach(name -> lastUse.put(name, Integer.MAX_VALUE));
        for (int i = 0; i < order.size(); i++) {
            bind(order.get(i));
            release(order.get(i), i);
        }
    }

    private static List<String> inputs(SameDiffOp op) {
        return op.getInputsToOp() == null ? List.of() : op.getInputsToOp();
    }

    /** The needed operations in the order in which they were recorded, which is one in which they can run. */
    private List<SameDiffOp> order(Collection<String> outputs) {
        Map<String, SameDiffOp> producers = new HashMap<>();
        graph.getOps().values().forEach(op -> op.getOutputsOfOp().forEach(name -> producers.put(name, op)));
        Set<SameDiffOp> needed = new HashSet<>();
        Deque<String> open = new ArrayDeque<>(outputs);
        while (!open.isEmpty()) {
            SameDiffOp op = producers.get(open.pop());
            if (op != null && needed.add(op)) {
                open.addAll(inputs(op));
            }
        }
        return graph.getOps().values().stream().filter(needed::contains).toList();
    }

    private void bind(SameDiffOp op) {
        DifferentialFunction function = op.getOp();
        INDArray[] inputs = inputs(op).stream().map(this::resolve).toArray(INDArray[]::new);
        String name = function instanceof CustomOp custom ? custom.opName() : function.opName();
        OpContext context = Nd4j.getExecutioner().buildContext();
        List<LongShapeDescriptor> shapes = prepare(function, inputs, context);
        if (name.equals("reshape") || name.equals("identity") || name.equals("stop_gradient")) {
            view(op, inputs[0].reshape('c', shapes.getFirst().getShape()));
            return;
        }
        List<String> outputs = op.getOutputsOfOp();
        for (int i = 0; i < outputs.size(); i++) {
            context.setOutputArray(i, allocate(outputs.get(i), shapes.get(i)));
        }
        Bound step = new Bound(function, context);
        step.run();
        bound.add(step);
        outputs.forEach(output -> readyAfter.put(output, bound.size()));
    }

    private static List<LongShapeDescriptor> prepare(DifferentialFunction function, INDArray[] inputs,
            OpContext context) {
        if (function instanceof DynamicCustomOp custom) {
            context.setArgs(inputs, custom.iArgs(), custom.dArgs(), custom.tArgs(), custom.bArgs());
            return custom.calculateOutputShape(context);
        }
        if (function instanceof ScalarOp scalar && inputs.length == 2) {
            scalar.setScalar(inputs[1]);
        }
        for (int i = 0; i < inputs.length; i++) {
            context.setInputArray(i, inputs[i]);
        }
        return ((BaseOp) function).calculateOutputShape(context);
    }

    private INDArray resolve(String name) {
        return arrays.computeIfAbsent(name, _ -> {
            SDVariable variable = graph.getVariable(name);
            if (variable.getVariableType() == VariableType.PLACEHOLDER) {
                throw new IllegalArgumentException(
                        "placeholder " + name + " has no array; there are " + arrays.keySet());
            }
            return variable.getArr();
        });
    }

    private void view(SameDiffOp op, INDArray array) {
        String output = op.getOutputsOfOp().getFirst();
        arrays.put(output, array);
        readyAfter.put(output, readyAfter.getOrDefault(op.getInputsToOp().getFirst(), 0));
        INDArray buffer = buffers.get(op.getInputsToOp().getFirst());
        if (buffer != null) {
            buffers.put(output, buffer);
            readers.get(buffer)[0]++;
        }
    }

    private INDArray allocate(String name, LongShapeDescriptor shape) {
        DataType type = graph.getVariable(name).dataType();
        long length = 1;
        for (long size : shape.getShape()) {
            length *= size;
        }
        Deque<INDArray> candidates = free.computeIfAbsent(new BufferSize(type, length), _ -> new ArrayDeque<>());
        INDArray buffer = candidates.isEmpty() ? Nd4j.create(type, length) : candidates.pop();
        if (!readers.containsKey(buffer)) {
            bytes += length * type.width();
        }
        readers.computeIfAbsent(buffer, _ -> new int[1])[0] = 1;
        buffers.put(name, buffer);
        INDArray array = buffer.reshape('c', shape.getShape());
        arrays.put(name, array);
        return array;
    }

    /** Gives back the buffers of what was read for the last time. */
    private void release(SameDiffOp op, int index) {
        Set<String> ended = new LinkedHashSet<>(inputs(op));
        ended.removeIf(name -> lastUse.get(name) != index);
        // An output that nobody reads was written into a buffer all the same.
        op.getOutputsOfOp().stream().filter(name -> !lastUse.containsKey(name)).forEach(ended::add);
        for (String name : ended) {
            INDArray buffer = buffers.get(name);
            if (buffer != null && --readers.get(buffer)[0] == 0) {
                free.computeIfAbsent(new BufferSize(buffer.dataType(), buffer.length()), _ -> new ArrayDeque<>())
                        .push(buffer);
            }
        }
    }

    /** Runs every operation once, on what the placeholders and variables hold now. */
    public void run() {
        bound.forEach(Bound::run);
    }

    /** Runs what comes up to the last of some outputs: the forward pass without the gradients, say.
     *
     * @param outputs names of values whose arrays will be up to date */
    public void run(Collection<String> outputs) {
        int operations = outputs.stream().mapToInt(name -> readyAfter.getOrDefault(name, 0)).max().orElse(0);
        bound.subList(0, operations).forEach(Bound::run);
    }

    /** The array of an output, a placeholder or a variable: the same one for every run.
     *
     * @param name of the variable
     * @return its array, which {@link #run} reads or writes */
    public INDArray array(String name) {
        INDArray array = arrays.get(name);
        if (array == null) {
            throw new IllegalArgumentException(
                    "no array " + name + "; it is neither an output nor an input of this plan");
        }
        return array;
    }

    /** The planned buffers.
     *  @return their size in bytes */
    public long bytes() {
        return bytes;
    }

    /** The number of operations of a run.
     *  @return those that are not views */
    public int operations() {
        return bound.size();
    }

    @Override
    public void close() {
        bound.forEach(step -> {
            try {
                step.context().close();
            } catch (Exception e) {
                throw new IllegalStateException("ND4J could not release an operation", e);
            }
        });
        bound.clear();
        readers.keySet().forEach(INDArray::close);
        readers.clear();
        arrays.clear();
    }

    @Override
    public String toString() {
        return "StaticExecutor[" + operations() + " operations, " + bytes + " bytes]";
    }
}
