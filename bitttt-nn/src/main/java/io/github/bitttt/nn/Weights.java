package io.github.bitttt.nn;

import io.github.bitttt.tensor.Int8Matrix;
import io.github.bitttt.tensor.TernaryMatrix;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SplittableRandom;

/**
 * The numbers of a model: one {@link Weight} for each {@link Param}. Immutable, shared freely between threads.
 *
 * <p>Three states exist: <em>masters</em> (all float32, trainable), <em>frozen</em> masters (projections as ternary codes,
 * what inference runs) and <em>packed</em> (projections as codes, embedding and head as int8 rows).
 */
public final class Weights {
    private final SequencedMap<Param, Weight> weights;

    /** Weights of a model.
     *
     * @param weights one for each parameter, of its size; a ternary or int8 form only where the kind allows it */
    public Weights(SequencedMap<Param, Weight> weights) {
        weights.forEach(Weights::check);
        this.weights = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(weights));
    }

    private static void check(Param param, Weight weight) {
        switch (weight) {
            case Weight.Floats(float[] values) -> {
                if (values.length != param.length()) {
                    throw new IllegalArgumentException(
                            param + ": takes " + param.length() + " values, got " + values.length);
                }
            }
            case Weight.Ternary(TernaryMatrix matrix) -> {
                checkKind(param, Param.Kind.TERNARY, "ternary codes");
                checkShape(param, matrix.rows(), matrix.columns());
            }
            case Weight.Int8Rows(Int8Matrix matrix) -> {
                checkKind(param, Param.Kind.ROWS, "int8 rows");
                checkShape(param, matrix.rows(), matrix.columns());
            }
        }
    }

    private static void checkShape(Param param, int rows, int columns) {
        if (rows != param.rows() || columns != param.columns()) {
            throw new IllegalArgumentException(param + ": got a matrix [" + rows + ", " + columns + "]");
        }
    }

    private static void checkKind(Param param, Param.Kind kind, String form) {
        if (param.kind() != kind) {
            throw new IllegalArgumentException(param + ": " + form + " are for " + kind + ", got " + param.kind());
        }
    }

    /** Masters.
     *
     * @param values float32 numbers by parameter; the arrays are kept, not copied
     * @return weights over them */
    public static Weights of(SequencedMap<Param, float[]> values) {
        SequencedMap<Param, Weight> weights = new LinkedHashMap<>();
        values.forEach((param, floats) -> weights.put(param, new Weight.Floats(floats)));
        return new Weights(weights);
    }

    /** First values of a model, a function of the seed and each parameter's path.
     *
     * @param params the model's parameters
     * @param seed   any number
     * @return masters */
    public static Weights init(List<Param> params, long seed) {
        SequencedMap<Param, Weight> weights = new LinkedHashMap<>();
        for (Param param : params) {
            weights.put(param, new Weight.Floats(initialValues(param, seed)));
        }
        return new Weights(weights);
    }

    private static float[] initialValues(Param param, long seed) {
        // Each tensor has a stream of its own, so that a further parameter does not change the others.
        SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + param.path().hashCode());
        float[] values = new float[param.length()];
        for (int i = 0; i < values.length; i++) {
            values[i] = switch (param.init()) {
                case Param.Init.Constant(double value) -> (float) value;
                case Param.Init.Normal(double deviation) -> (float) (deviation * random.nextGaussian());
                case Param.Init.Spread(double first, double last) -> (float) (values.length == 1
                        ? (first + last) / 2
                        : first + (last - first) * i / (values.length - 1));
            };
        }
        return values;
    }

    /** The parameters, in the order of the computation.
     *  @return an unmodifiable list */
    public List<Param> params() {
        return List.copyOf(weights.sequencedKeySet());
    }

    /** The numbers of a parameter.
     *
     * @param param one of {@link #params()}
     * @return its weight
     * @throws IllegalArgumentException if this model has no such parameter */
    public Weight get(Param param) {
        Weight weight = weights.get(param);
        if (weight == null) {
            throw new IllegalArgumentException("no weight " + param + "; there are " + weights.size() + " parameters");
        }
        return weight;
    }

    /** The float32 numbers of a parameter, not a copy.
     *
     * @param param a master or a small tensor
     * @return its elements in row order, to be read only
     * @throws IllegalArgumentException if it is held as codes */
    public float[] floats(Param param) {
        if (get(param) instanceof Weight.Floats(float[] values)) {
            return values;
        }
        throw new IllegalArgumentException(param + ": is held as codes; load the master checkpoint for float values");
    }

    /** Whether every parameter is a float32 master, so that training can go on from here.
     *  @return true for masters */
    public boolean areMasters() {
        return weights.values().stream().allMatch(Weight.Floats.class::isInstance);
    }

    /** Projections as ternary codes, all else as it is: what inference runs.
     *
     * @param scaleWeights multiply by beta; otherwise the product's scale is 1
     * @return frozen weights */
    public Weights freeze(boolean scaleWeights) {
        SequencedMap<Param, Weight> frozen = new LinkedHashMap<>();
        weights.forEach((param, weight) -> frozen.put(param, param.kind() == Param.Kind.TERNARY
                ? ternary(param, weight, scaleWeights)
                : weight));
        return new Weights(frozen);
    }

    /** Projections as ternary codes, embedding and head as int8 rows: what a packed checkpoint holds.
     *
     * @param scaleWeights multiply by beta; otherwise the product's scale is 1
     * @return packed weights */
    public Weights pack(boolean scaleWeights) {
        SequencedMap<Param, Weight> packed = new LinkedHashMap<>();
        freeze(scaleWeights).weights.forEach((param, weight) -> packed.put(param,
                param.kind() == Param.Kind.ROWS && weight instanceof Weight.Floats(float[] values)
                        ? new Weight.Int8Rows(Int8Matrix.quantize(values, param.columns()))
                        : weight));
        return new Weights(packed);
    }

    private static Weight ternary(Param param, Weight weight, boolean scaleWeights) {
        if (!(weight instanceof Weight.Floats(float[] values))) {
            return weight;
        }
        TernaryMatrix matrix = TernaryMatrix.quantize(values, param.rows(), param.columns());
        return new Weight.Ternary(scaleWeights ? matrix : matrix.withScale(1));
    }

    /** Bytes that these weights take as they are held here.
     *  @return ternary codes at 2 bits, int8 rows at one byte, the rest at four */
    public long bytes() {
        return weights.values().stream().mapToLong(weight -> switch (weight) {
            case Weight.Floats(float[] values) -> 4L * values.length;
            case Weight.Ternary(TernaryMatrix matrix) -> matrix.bytes();
            case Weight.Int8Rows(Int8Matrix matrix) -> matrix.bytes();
        }).sum();
    }

    /** The number of parameters.
     *  @return the sum of their lengths */
    public long parameters() {
        return weights.keySet().stream().mapToLong(Param::length).sum();
    }

    /** A copy with other numbers for some parameters.
     *
     * @param values masters by parameter; the arrays are kept, not copied
     * @return new weights */
    public Weights with(Map<Param, float[]> values) {
        SequencedMap<Param, Weight> changed = new LinkedHashMap<>(weights);
        values.forEach((param, floats) -> {
            get(param);
            changed.put(param, new Weight.Floats(floats));
        });
        return new Weights(changed);
    }

    @Override
    public String toString() {
        return "Weights[" + params().size() + " tensors, " + parameters() + " parameters, " + bytes() + " bytes]";
    }
}
