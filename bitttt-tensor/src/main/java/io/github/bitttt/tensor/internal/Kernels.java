package io.github.bitttt.tensor.internal;

/**
 * A family of kernels: ternary products of int8 rows, and the float loops between them.
 *
 * <p>{@link NaiveKernels} is the meaning of all of them.
 */
public interface Kernels {

    /** Its name, as in {@code -Dbitttt.kernels=}.
     *  @return naive, plain or vector */
    String name();

    /** What it needs of a machine.
     *  @return a few words */
    default String reason() {
        return "any machine";
    }

    /** Brings ternary codes into the layout of this family, which is then their only copy.
     *
     * @param codes   each -1, 0 or 1; read row after row during this call only
     * @param rows    at least 1
     * @param columns at least 1
     * @return immutable weights */
    Weights weights(Codes codes, int rows, int columns);

    /** The same for a matrix that is large, or a slice of one: it is laid out once, for the kernels that are fast in the end.
     *
     * @param codes   each -1, 0 or 1; read row after row during this call only
     * @param rows    at least 1
     * @param columns at least 1
     * @return immutable weights */
    default Weights largeWeights(Codes codes, int rows, int columns) {
        return weights(codes, rows, columns);
    }

    /** The same for a matrix with a scale for each group of inputs of a row, or for a slice of it.
     *
     * @param codes  each -1, 0 or 1; read row after row during this call only
     * @param rows   at least 1
     * @param large  if the matrix is
     * @param scales of these rows, kept
     * @return immutable weights */
    default Weights groupedWeights(Codes codes, int rows, boolean large, GroupScales scales) {
        return new GroupedWeights(this, codes, rows, large, scales);
    }

    /** Rows of bytes, wherever they lie. */
    @FunctionalInterface
    interface Codes {
        /** Reads a row.
         *
         * @param row    its index
         * @param to     receives its codes
         * @param offset of the first */
        void read(int row, byte[] to, int offset);

        /** Rows that lie in an array.
         *
         * @param codes   [rows, columns] in row order
         * @param columns of a row
         * @return them */
        static Codes of(byte[] codes, int columns) {
            return (row, to, offset) -> System.arraycopy(codes, row * columns, to, offset, columns);
        }

        /** The rows from one on.
         *
         * @param first becomes row 0
         * @return a view */
        default Codes from(int first) {
            return (row, to, offset) -> read(first + row, to, offset);
        }

        /** All rows.
         *
         * @param rows    how many
         * @param columns of a row
         * @return a copy, in row order */
        default byte[] all(int rows, int columns) {
            byte[] all = new byte[Math.multiplyExact(rows, columns)];
            for (int row = 0; row < rows; row++) {
                read(row, all, row * columns);
            }
            return all;
        }
    }

    /** Rounds a row to int8: s = 127 / max(max |x|, 1e-5), code = clamp(rint(x s), -127, 127), in float, half to even.
     *
     * @param x           inputs
     * @param xOffset     of the first
     * @param columns     how many
     * @param codes       outputs
     * @param codesOffset of the first
     * @return s */
    default float round(float[] x, int xOffset, int columns, byte[] codes, int codesOffset) {
        return NaiveKernels.INSTANCE.round(x, xOffset, columns, codes, codesOffset);
    }

    /** Rounds a row to int8 as the original engine did: s = 127 / max |x|, or 1 where the maximum is under 1e-9;
     * code = x s rounded half away from zero, in float.
     *
     * @param x           inputs
     * @param xOffset     of the first
     * @param columns     how many
     * @param codes       outputs
     * @param codesOffset of the first
     * @return s */
    default float roundAway(float[] x, int xOffset, int columns, byte[] codes, int codesOffset) {
        return NaiveKernels.INSTANCE.roundAway(x, xOffset, columns, codes, codesOffset);
    }

    /** Waits until this family runs at its full speed: its results are the same before and after.
     *
     * @throws InterruptedException if the thread is interrupted while it waits */
    default void awaitReady() throws InterruptedException {
        // Compiled on the way, as any loop is.
    }

    /** The float loops.
     *  @return of this family */
    FloatKernels floats();

    /** Ternary weights in a family's own layout, from which their codes can be read again. */
    interface Weights extends Codes {
        /** The kernel's name, which may depend on the shape.
         *  @return a short name */
        String kernel();

        /** What a product reads.
         *  @return bytes of the layout, what is filled up included */
        long bytes();

        /** Derives what {@link #products} will read of the inputs; without this call it does so itself.
         *
         * @param x rounded inputs */
        default void prepare(Int8Input x) {
            // Reads the codes themselves.
        }

        /** y[t, r] = scale / s_t * (sum of x_t over codes +1, less the sum over codes -1): the sum is exact.
         *
         * @param x       rounded inputs, with their scales s
         * @param first   row of x
         * @param n       rows of x
         * @param scale   of the matrix
         * @param y       outputs
         * @param yOffset of the first
         * @param yStride from a row of outputs to the next */
        void products(Int8Input x, int first, int n, float scale, float[] y, int yOffset, int yStride);
    }
}
