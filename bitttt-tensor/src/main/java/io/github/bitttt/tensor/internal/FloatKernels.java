package io.github.bitttt.tensor.internal;

/**
 * The float loops between ternary products. This interface's own bodies are their meaning, with double accumulation; a
 * family overrides them for speed within n * 2^-23 * sum |x y| of a sum.
 */
public interface FloatKernels {
    /** The columns that {@link #besides} takes. */
    int SIDE_BY_SIDE = 64;

    /** sum of a[i] b[i].
     *
     * @param a       first
     * @param aOffset of its first element
     * @param b       second
     * @param bOffset of its first element
     * @param n       elements
     * @return the sum */
    default float dot(float[] a, int aOffset, float[] b, int bOffset, int n) {
        double sum = 0;
        for (int i = 0; i < n; i++) {
            sum += (double) a[aOffset + i] * b[bOffset + i];
        }
        return (float) sum;
    }

    /** Brings int8 rows into the layout of this family, which is then their only copy.
     *
     * @param codes   read row after row during this call only
     * @param rows    at least 1
     * @param columns at least 1
     * @return immutable weights */
    default Int8Weights int8Weights(Kernels.Codes codes, int rows, int columns) {
        return new Int8InOrder(codes.all(rows, columns), rows, columns) {
            @Override
            public void products(float[] x, int xOffset, float[] y, int yOffset) {
                for (int row = 0; row < rows; row++) {
                    double sum = 0;
                    for (int i = 0; i < columns; i++) {
                        sum += (double) this.codes[row * columns + i] * x[xOffset + i];
                    }
                    y[yOffset + row] = (float) sum;
                }
            }
        };
    }

    /** The same for a matrix that is large, or a slice of one: it is laid out once, for the kernels that are fast in the end.
     *
     * @param codes   read row after row during this call only
     * @param rows    at least 1
     * @param columns at least 1
     * @return immutable weights */
    default Int8Weights largeInt8Weights(Kernels.Codes codes, int rows, int columns) {
        return int8Weights(codes, rows, columns);
    }

    /** Int8 rows as they are written. */
    abstract class Int8InOrder implements Int8Weights {
        /** [rows, columns] in row order. */
        protected final byte[] codes;
        /** How many there are. */
        protected final int rows;
        /** Of each row. */
        protected final int columns;

        /** Rows in an array.
         *
         * @param codes   [rows, columns] in row order, kept
         * @param rows    at least 1
         * @param columns at least 1 */
        protected Int8InOrder(byte[] codes, int rows, int columns) {
            this.codes = codes;
            this.rows = rows;
            this.columns = columns;
        }

        @Override
        public void read(int row, byte[] to, int offset) {
            System.arraycopy(codes, row * columns, to, offset, columns);
        }

        @Override
        public void row(int row, float scale, float[] y, int yOffset) {
            for (int i = 0; i < columns; i++) {
                y[yOffset + i] = codes[row * columns + i] * scale;
            }
        }
    }

    /** Int8 rows in a family's own layout, from which they can be read again. */
    interface Int8Weights extends Kernels.Codes {
        /** y_r = sum of codes[r, i] x_i, exact but for float rounding.
         *
         * @param x       holds the input
         * @param xOffset of its first element
         * @param y       outputs
         * @param yOffset of the first */
        void products(float[] x, int xOffset, float[] y, int yOffset);

        /** The products of two inputs, each as {@link #products} gives it, to the bit.
         *
         * @param x        holds both inputs
         * @param first    of the first one's elements
         * @param second   of the second one's
         * @param y        outputs
         * @param yFirst   of the first one's
         * @param ySecond  of the second one's */
        default void productsOfTwo(float[] x, int first, int second, float[] y, int yFirst, int ySecond) {
            products(x, first, y, yFirst);
            products(x, second, y, ySecond);
        }

        /** Reads a row as floats, code * scale.
         *
         * @param row     its index
         * @param scale   of the row
         * @param y       outputs
         * @param yOffset of the first */
        void row(int row, float scale, float[] y, int yOffset);
    }

    /** y = gain * x / sqrt(mean(x^2) + epsilon).
     *
     * @param x       inputs
     * @param xOffset of the first
     * @param gain    [n]
     * @param epsilon under the root
     * @param y       outputs
     * @param yOffset of the first
     * @param n       elements */
    default void rmsNorm(float[] x, int xOffset, float[] gain, double epsilon, float[] y, int yOffset, int n) {
        double mean = (double) dot(x, xOffset, x, xOffset, n) / n;
        float inverse = (float) (1 / Math.sqrt(mean + epsilon));
        for (int i = 0; i < n; i++) {
            y[yOffset + i] = gain[i] * (x[xOffset + i] * inverse);
        }
    }

    /** x = x / (||x|| + 1e-6), in place.
     *
     * @param x      numbers
     * @param offset of the first
     * @param n      elements */
    default void normalize(float[] x, int offset, int n) {
        float inverse = (float) (1 / (Math.sqrt(dot(x, offset, x, offset, n)) + 1e-6));
        for (int i = 0; i < n; i++) {
            x[offset + i] *= inverse;
        }
    }

    /** y = gate / (1 + exp(-gate)) * up.
     *
     * @param gate       inputs
     * @param gateOffset of the first
     * @param up         inputs
     * @param upOffset   of the first
     * @param y          outputs
     * @param yOffset    of the first
     * @param n          elements */
    default void siluMultiply(float[] gate, int gateOffset, float[] up, int upOffset, float[] y, int yOffset, int n) {
        for (int i = 0; i < n; i++) {
            float g = gate[gateOffset + i];
            y[yOffset + i] = (float) (g / (1 + Math.exp(-g))) * up[upOffset + i];
        }
    }

    /** y = y + x.
     *
     * @param x       what is added
     * @param xOffset of the first
     * @param y       changed in place
     * @param yOffset of the first
     * @param n       elements */
    default void add(float[] x, int xOffset, float[] y, int yOffset, int n) {
        for (int i = 0; i < n; i++) {
            y[yOffset + i] += x[xOffset + i];
        }
    }

    /** y = y + factor * x.
     *
     * @param factor  of x
     * @param x       what is added
     * @param xOffset of the first
     * @param y       changed in place
     * @param yOffset of the first
     * @param n       elements */
    default void addScaled(float factor, float[] x, int xOffset, float[] y, int yOffset, int n) {
        for (int i = 0; i < n; i++) {
            y[yOffset + i] += factor * x[xOffset + i];
        }
    }

    /** Inner products with 64 columns that lie side by side: y_s = factor * sum of x_i block[i, s].
     *
     * @param x       holds the row
     * @param xOffset of the first
     * @param block   holds [n, 64]
     * @param offset  of its first number
     * @param n       elements of the row, at least 1
     * @param factor  of every product
     * @param y       receives 64 numbers */
    default void besides(float[] x, int xOffset, float[] block, int offset, int n, float factor, float[] y) {
        for (int s = 0; s < SIDE_BY_SIDE; s++) {
            double sum = 0;
            for (int i = 0; i < n; i++) {
                sum += (double) x[xOffset + i] * block[offset + i * SIDE_BY_SIDE + s];
            }
            y[s] = (float) (sum * factor);
        }
    }

    /** y_i = sum over s of weights_s rows[s, i].
     *
     * @param weights one for each row
     * @param count   rows, at least 1
     * @param rows    holds them
     * @param offset  of the first row's first number
     * @param stride  from a row to the next
     * @param n       elements of a row
     * @param y       outputs
     * @param yOffset of the first */
    default void weightedRows(float[] weights, int count, float[] rows, int offset, int stride, int n, float[] y,
            int yOffset) {
        for (int i = 0; i < n; i++) {
            double sum = 0;
            for (int s = 0; s < count; s++) {
                sum += (double) weights[s] * rows[offset + s * stride + i];
            }
            y[yOffset + i] = (float) sum;
        }
    }

    /** y = exp(x - shift).
     *
     * @param x     inputs
     * @param shift such that no difference is above 87
     * @param y     outputs; differences under -87 may give 1.6e-38 or less
     * @param n     elements, from the first */
    default void exp(float[] x, float shift, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            y[i] = (float) Math.exp(x[i] - shift);
        }
    }

    /** y = log(x).
     *
     * @param x normal floats above 0
     * @param y outputs
     * @param n elements, from the first */
    default void log(float[] x, float[] y, int n) {
        for (int i = 0; i < n; i++) {
            y[i] = (float) Math.log(x[i]);
        }
    }

    /** The weights of a memory before its first token, in the layout of this family.
     *
     * @param heads   H, at least 1
     * @param rows    width of a value, at least 1
     * @param columns width of a key, at least 1
     * @return zeros */
    default DeltaWeights deltaWeights(int heads, int rows, int columns) {
        return new NaiveDelta(heads, rows, columns);
    }

    /** Matrices W [rows, columns], one for each head, that the delta rule trains; in a family's own layout, for one thread at a time. */
    interface DeltaWeights {
        /** One step of one head: W = decay W, e = v - W k, W += rate e k^T, answer = W q, before or after that sum.
         *
         * @param head         from 0
         * @param keys         holds k
         * @param keyOffset    of the first
         * @param queries      holds q; may be the array of another
         * @param queryOffset  of the first
         * @param values       holds v
         * @param valueOffset  of the first
         * @param rate         eta
         * @param decay        gamma, in [0, 1]; 1 keeps W exactly
         * @param after        read after the update
         * @param answer       receives the answer
         * @param answerOffset of the first */
        void step(int head, float[] keys, int keyOffset, float[] queries, int queryOffset, float[] values,
                int valueOffset, float rate, float decay, boolean after, float[] answer, int answerOffset);

        /** What was learned.
         *
         * @param w receives [H, rows, columns] in row order */
        void copyTo(float[] w);

        /** Overwrites W.
         *
         * @param w [H, rows, columns] in row order */
        void set(float[] w);

        /** Overwrites W by zeros. */
        void clear();
    }
}
