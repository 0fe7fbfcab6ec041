package io.github.bitttt.nn;

import java.util.List;
import java.util.stream.Collectors;

/**
 * A weight tensor's name, shape, storage and first values: the only place where a tensor is named.
 *
 * @param path  the tensor's name in a checkpoint, such as {@code layers.0.ttt.down.weight}
 * @param shape one or two dimensions, each at least 1; a matrix is [out, in]
 * @param kind  how it is stored and multiplied
 * @param init  what it holds before training
 */
public record Param(String path, List<Integer> shape, Kind kind, Init init) {

    /** How a parameter is stored and multiplied. */
    public enum Kind {
        /** A projection [out, in] whose codes are -1, 0, 1 with one scale; trained through float32 masters. */
        TERNARY,
        /** A matrix of rows, float32 or int8 with a scale for each row: the embedding and the head. */
        ROWS,
        /** A small float32 tensor: gains, shifts, biases, the inner rate's weights. */
        FLOAT
    }

    /** What a parameter holds before training. */
    public sealed interface Init {
        /** Every element the same.
         *  @param value the element */
        record Constant(double value) implements Init {}

        /** Independent normal numbers of mean 0.
         *  @param deviation their standard deviation */
        record Normal(double deviation) implements Init {}

        /** Evenly spaced from the first element to the last; an only element is halfway between.
         *  @param first the first element
         *  @param last  the last element */
        record Spread(double first, double last) implements Init {}
    }

    /** Checks the shape. */
    public Param {
        shape = List.copyOf(shape);
        if (shape.isEmpty() || shape.size() > 2) {
            throw new IllegalArgumentException(path + ": a parameter has 1 or 2 dimensions, got shape " + shape);
        }
        for (int size : shape) {
            if (size < 1) {
                throw new IllegalArgumentException(path + ": every dimension must be at least 1, got shape " + shape);
            }
        }
        long length = shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
        if (length > Integer.MAX_VALUE - 64) {
            throw new IllegalArgumentException(
                    path + ": a parameter has fewer than 2^31 - 64 elements, got shape " + shape);
        }
        if (kind != Kind.FLOAT && shape.size() != 2) {
            throw new IllegalArgumentException(path + ": " + kind + " takes a matrix, got shape " + shape);
        }
    }

    /** A ternary projection from {@code in} to {@code out} features, first values of deviation 1 / sqrt(3 in).
     * Codes do not depend on the masters' size, but smaller masters change their codes sooner.
     *
     * @param path its name
     * @param out  rows
     * @param in   columns
     * @return the parameter */
    public static Param ternary(String path, int out, int in) {
        return new Param(path, List.of(out, in), Kind.TERNARY, new Init.Normal(1 / Math.sqrt(3.0 * in)));
    }

    /** A float vector.
     *
     * @param path  its name
     * @param size  its length
     * @param value every element at the start
     * @return the parameter */
    public static Param vector(String path, int size, double value) {
        return new Param(path, List.of(size), Kind.FLOAT, new Init.Constant(value));
    }

    /** Rows: the first dimension.
     *  @return the size */
    public int rows() {
        return shape.getFirst();
    }

    /** Columns: the last dimension of a matrix, 1 for a vector.
     *  @return the size */
    public int columns() {
        return shape.size() == 2 ? shape.getLast() : 1;
    }

    /** The number of elements.
     *  @return rows times columns */
    public int length() {
        return rows() * columns();
    }

    /** Whether weight decay applies: matrices only.
     *  @return true for two dimensions */
    public boolean isMatrix() {
        return shape.size() == 2;
    }

    @Override
    public String toString() {
        return path + shape.stream().map(String::valueOf).collect(Collectors.joining(", ", " [", "]"));
    }
}
