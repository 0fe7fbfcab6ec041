package io.github.bitttt.train;

import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.tensor.Int8Matrix;
import io.github.bitttt.tensor.TernaryMatrix;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * Masters for a model of which only the packed form is there, so that it can be fine-tuned.
 *
 * <p>The masters that a model was trained with are lost when it is packed, but some that become the same codes and the same scale can
 * be made: 0 where the code is 0, and elsewhere beta over the share of codes that are not 0, so that the mean of |w| is beta again. Int8
 * rows become the numbers that they stand for. The model that training begins with is therefore the packed one, to the bit of its codes
 * and scales.
 */
public final class Masters {
    private Masters() {
    }

    /** Masters of a model.
     *
     * @param model masters, which are returned as they are, or packed
     * @return a checkpoint of the same config whose weights are float32
     * @throws IllegalArgumentException if a matrix has scales of groups */
    public static Checkpoint of(Checkpoint model) {
        if (model.weights().areMasters()) {
            return model;
        }
        boolean scaled = model.config().quantization().scaleWeights();
        SequencedMap<Param, float[]> masters = new LinkedHashMap<>();
        for (Param param : model.weights().params()) {
            masters.put(param, switch (model.weights().get(param)) {
                case Weight.Floats(float[] values) -> values;
                // Where no scale is used any will do: the first values' is a good size for steps.
                case Weight.Ternary(TernaryMatrix matrix) when !matrix.hasOneScale() ->
                    throw new IllegalArgumentException(
                            param.path() + " has a scale for each " + matrix.group()
                                    + " inputs of a row, which training does not know; a model with one scale a matrix can be fine-tuned");
                case Weight.Ternary(TernaryMatrix matrix) -> ternary(matrix.codes(), scaled
                        ? matrix.scale()
                        : 1 / Math.sqrt(3.0 * param.columns()));
                case Weight.Int8Rows(Int8Matrix matrix) -> rows(matrix);
            });
        }
        return new Checkpoint(model.config(), Weights.of(masters), model.configText(), model.metadata());
    }

    private static float[] rows(Int8Matrix matrix) {
        float[] values = new float[matrix.rows() * matrix.columns()];
        for (int row = 0; row < matrix.rows(); row++) {
            matrix.row(row, values, row * matrix.columns());
        }
        return values;
    }

    /** Numbers whose codes these are and whose mean magnitude is beta, to the bit of a float. */
    static float[] ternary(byte[] codes, double beta) {
        int set = 0;
        for (byte code : codes) {
            set += code == 0 ? 0 : 1;
        }
        float[] values = new float[codes.length];
        if (set == 0) {
            return values;
        }
        // No float may be the exact magnitude, so some get the one below it and the rest the one above.
        double exact = beta * codes.length / set;
        float below = (float) exact > exact ? Math.nextDown((float) exact) : (float) exact;
        float above = Math.nextUp(below);
        long larger = Math.round(set * ((exact - below) / ((double) above - below)));
        int zero = -1;
        for (int i = 0; i < codes.length; i++) {
            if (codes[i] == 0) {
                zero = i;
            } else {
                values[i] = codes[i] * (larger-- > 0 ? above : below);
            }
        }
        double missing = (beta - TernaryMatrix.beta(values)) * codes.length;
        if (zero >= 0 && (float) TernaryMatrix.beta(values) != (float) beta && missing > 0) {
            values[zero] = (float) missing; // far below half of beta, so its code stays 0
        }
        return values;
    }
}
