package io.github.bitttt.tensor;

/** Rows of codes that lie somewhere else, a file for instance: a matrix is made from them without a copy of all of them. */
@FunctionalInterface
public interface CodeRows {
    /** Reads a row. A matrix asks for each row once or twice, in order but for the last rows, in the thread that makes it.
     *
     * @param row    its index, from 0
     * @param codes  receives its codes
     * @param offset of the first */
    void read(int row, byte[] codes, int offset);
}
