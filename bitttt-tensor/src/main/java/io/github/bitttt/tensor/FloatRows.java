package io.github.bitttt.tensor;

/** Rows of floats that lie somewhere else, a file of any type for instance: a matrix is made from them row by row. */
@FunctionalInterface
public interface FloatRows {
    /** Reads a row. A matrix asks for each row a few times, in the thread that makes it.
     *
     * @param row    its index, from 0
     * @param values receives its numbers, from the first element on */
    void read(int row, float[] values);
}
