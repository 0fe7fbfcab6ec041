package io.github.bitttt.tensor.internal;

import java.lang.foreign.MemorySegment;

/**
 * A family of kernels: ternary products of int8 rows, and the float loops between them.
 *
 * <p>{@link NaiveKernels} is the meaning of all of them.
 */
public interface Kernels {

    /** Its name, as in {@code -Dbitttt.kernels=}.
     *  @return naive, plain or vector */
    String name();

    /** Brings ternary codes into the layout of this family.
     *
     * @param codes   [rows, columns] in row order, each -1, 0 or 1
     * @param rows    at least 1
     * @param columns at least 1
     * @return immutable weights */
    Weights weights(byte[] codes, int rows, int columns);

    /** The tables that this family derives from an int8 row.
     *
     * @param columns of the row
     * @return bytes, a multiple of 64; 0 if it needs none */
    long tableBytes(int columns);

    /** Derives the tables of an int8 row.
     *
     * @param codes   the row, and at least 64 more bytes behind it
     * @param offset  of its first code
     * @param columns how many
     * @param tables  64-byte aligned
     * @param at      where this row's tables begin, a multiple of 64 */
    void buildTables(byte[] codes, int offset, int columns, MemorySegment tables, long at);

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

        /** y[r] = sum of x over codes +1, less the sum over codes -1: exact.
         *
         * @param x   rounded inputs
         * @param row which of them
         * @param y   at least {@link #paddedRows()}; the first rows are the sums, the rest is undefined */
        void sums(Input x, int row, int[] y);

        /** How many elements {@link #sums} may write.
         *  @return rows, rounded up as the kernel needs it */
        int paddedRows();
    }

    /**
     * Rounded rows as kernels read them.
     *
     * @param codes   int8, in row order
     * @param columns of each row
     * @param tables  of all rows, or an empty segment
     * @param stride  bytes of a row's tables
     * @param scratch short sums for kernels that need them
     */
    record Input(byte[] codes, int columns, MemorySegment tables, long stride, Scratch scratch) {}

    /** Room that a kernel may use during one call, kept from call to call. */
    final class Scratch {
        private short[] shorts = new short[0];

        /** No room yet. */
        public Scratch() {
        }

        /** Room for short sums.
         *
         * @param length how many
         * @return at least so many, with any contents */
        public short[] shorts(int length) {
            if (shorts.length < length) {
                shorts = new short[length];
            }
            return shorts;
        }
    }
}
