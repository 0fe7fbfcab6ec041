package io.github.bitttt.capi;

import io.github.bitttt.tensor.TernaryMatrix;

/** What {@link OriginalLayer} means: plain loops in double, on the same codes. */
final class NaiveOriginalLayer {
    private final TernaryMatrix down;
    private final TernaryMatrix up;
    private final double rate;
    private double[] memory = new double[0];

    NaiveOriginalLayer(TernaryMatrix down, TernaryMatrix up, double rate) {
        this.down = down;
        this.up = up;
        this.rate = rate;
    }

    double[][] forward(double[][] rows) {
        memory = new double[down.rows() * down.rows()];
        double[][] output = new double[rows.length][];
        for (int t = 0; t < rows.length; t++) {
            output[t] = token(rows[t]);
        }
        return output;
    }

    /** The norm of the memory after the last text: what was learned. */
    double memoryNorm() {
        double squares = 0;
        for (double element : memory) {
            squares += element * element;
        }
        return Math.sqrt(squares);
    }

    private double[] token(double[] x) {
        double[] f = multiply(down, x);
        double norm = 0;
        for (double value : f) {
            norm += value * value;
        }
        norm = Math.sqrt(norm);
        if (norm > 1e-6) {
            for (int i = 0; i < f.length; i++) {
                f[i] /= norm;
            }
        }
        int d = f.length;
        double[] expected = new double[d];
        for (int i = 0; i < d; i++) {
            for (int j = 0; j < d; j++) {
                expected[i] += memory[i * d + j] * f[j];
            }
        }
        for (int i = 0; i < d; i++) {
            for (int j = 0; j < d; j++) {
                memory[i * d + j] -= rate * (expected[i] - f[i]) * f[j];
            }
        }
        double[] y = multiply(up, expected);
        for (int i = 0; i < y.length; i++) {
            y[i] += x[i];
        }
        return y;
    }

    private static double[] multiply(TernaryMatrix matrix, double[] x) {
        double largest = 0;
        for (double value : x) {
            largest = Math.max(largest, Math.abs(value));
        }
        // As floats are: the rounding is part of the meaning.
        float scale = largest < 1e-9 ? 1 : 127 / (float) largest;
        double[] y = new double[matrix.rows()];
        for (int column = 0; column < x.length; column++) {
            double scaled = (float) x[column] * scale;
            double code = Math.copySign(Math.floor(Math.abs(scaled) + 0.5), scaled);
            for (int row = 0; row < y.length; row++) {
                y[row] += matrix.code(row, column) * code;
            }
        }
        for (int row = 0; row < y.length; row++) {
            y[row] /= scale;
        }
        return y;
    }
}
