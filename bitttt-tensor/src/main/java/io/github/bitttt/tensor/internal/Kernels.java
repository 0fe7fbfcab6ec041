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

    /** Brings ternary codes into the layout of this family.
     *
     * @param codes   [rows, columns] in row order, each -1, 0 or 1
     * @param rows    at least 1
     * @param columns at least 1
     * @return immutable weights */
    Weights weights(byte[] codes, int rows, int columns);

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

    /** Ternary weights in a family's own layout. */
    interface Weights {
        /** The kernel's name, which may depend on the shape.
         *  @return a short name */
        String kernel();

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
