package io.github.bitttt.tensor.nd4j;

import io.github.bitttt.tensor.TernaryMatrix;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Ternary matrices to and from {@link INDArray}. */
public final class TernaryArrays {
    private TernaryArrays() {
    }

    /** Quantizes an array, see {@link TernaryMatrix#quantize}.
     *
     * @param weights [rows, columns] of any float type
     * @return codes and scale */
    public static TernaryMatrix quantize(INDArray weights) {
        if (weights.rank() != 2) {
            throw new IllegalArgumentException("a matrix is needed, got an array of rank " + weights.rank());
        }
        return TernaryMatrix.quantize(weights.dup('c').data().asFloat(), Math.toIntExact(weights.size(0)),
                Math.toIntExact(weights.size(1)));
    }

    /** The values that a matrix multiplies by: scale * code.
     *
     * @param matrix any
     * @return FLOAT [rows, columns] */
    public static INDArray toArray(TernaryMatrix matrix) {
        byte[] codes = matrix.codes();
        float[] values = new float[codes.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = codes[i] * matrix.scale();
        }
        return Nd4j.createFromArray(values).reshape('c', matrix.rows(), matrix.columns());
    }
}
