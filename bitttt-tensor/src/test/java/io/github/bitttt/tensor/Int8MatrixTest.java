package io.github.bitttt.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.api.Test;

class Int8MatrixTest {
    @ParameterizedTest
    @CsvSource({"1, 1", "3, 7", "127, 33", "128, 5", "300, 31", "4200, 1030"})
    void rowsFromAnywhereAreTheSame(int rows, int columns) {
        Random random = new Random(7);
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = i < columns ? 0 : (float) random.nextGaussian();
        }
        Int8Matrix whole = Int8Matrix.quantize(values, columns);
        Int8Matrix byRows = Int8Matrix.quantize((row, to) -> System.arraycopy(values, row * columns, to, 0, columns),
                rows,
                columns);
        Int8Matrix ofRows = Int8Matrix.ofRows(whole::codes, columns, whole.scales());
        assertThat(byRows.codes()).isEqualTo(whole.codes()).isEqualTo(ofRows.codes());
        assertThat(byRows.scales()).isEqualTo(whole.scales()).isEqualTo(ofRows.scales());
        float[] inputs = new float[3 * columns];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = (float) random.nextGaussian();
        }
        float[] together = new float[3 * rows];
        whole.matMul(inputs, 3, together);
        for (int t = 0; t < 3; t++) {
            float[] alone = new float[rows];
            whole.matVec(inputs, t * columns, alone, 0);
            assertThat(Arrays.copyOfRange(together, t * rows, (t + 1) * rows)).containsExactly(alone);
        }
        byte[] codes = whole.codes();
        float[] row = new float[columns];
        whole.row(rows - 1, row, 0);
        for (int i = 0; i < columns; i++) {
            assertThat(row[i]).isEqualTo(codes[(rows - 1) * columns + i] * whole.scales()[rows - 1]);
        }
    }

    @Test
    void refusesWhatIsNoMatrix() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Int8Matrix(new byte[5], new float[2]))
                .withMessage("int8 rows take one scale each, got 5 codes and 2 scales");
        assertThatIllegalArgumentException().isThrownBy(() -> new Int8Matrix(new byte[2], new float[]{1, Float.NaN}))
                .withMessage("scale must be finite, got NaN");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Int8Matrix.ofRows((row, to, offset) -> {}, 0, new float[1]))
                .withMessage("a matrix has 1 to 2^31 - 64 elements, got [1, 0]");
    }
}
