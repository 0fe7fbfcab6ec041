package io.github.bitttt.tensor.nd4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bitttt.tensor.TernaryMatrix;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class TernaryArraysTest {
    @Test
    void thereAndBack() {
        byte[] codes = {1, 0, -1, -1, 1, 1};
        TernaryMatrix matrix = TernaryMatrix.ofCodes(codes, 2, 3, 0.5f);
        INDArray array = TernaryArrays.toArray(matrix);
        assertThat(array.shape()).containsExactly(2, 3);
        assertThat(array.getFloat(1, 0)).isEqualTo(-0.5f);
        assertThat(TernaryArrays.quantize(array).codes()).containsExactly(codes);
        assertThat(TernaryArrays.quantize(array.transpose()).codes()).containsExactly(1, -1, 0, 1, -1, 1);
    }

    @Test
    void refusesOtherRanks() {
        assertThatIllegalArgumentException().isThrownBy(() -> TernaryArrays.quantize(Nd4j.zeros(2, 2, 2)))
                .withMessage("a matrix is needed, got an array of rank 3");
    }
}
