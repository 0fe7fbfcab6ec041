package io.github.bitttt.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.tensor.internal.NaiveKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TernaryMatrixTest {
    private static byte[] codes(int n, long seed) {
        Random random = new Random(seed);
        byte[] codes = new byte[n];
        for (int i = 0; i < n; i++) {
            codes[i] = (byte) (random.nextInt(3) - 1);
        }
        return codes;
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "3, 7", "4, 4", "5, 3", "7, 207", "207, 31", "64, 65"})
    void unpackOfPackIsTheMatrix(int rows, int columns) {
        TernaryMatrix matrix = TernaryMatrix.ofCodes(codes(rows * columns, 3), rows, columns, 0.25f);
        byte[] packed = matrix.pack();
        assertThat(packed).hasSize((rows + 3) / 4 * columns);
        TernaryMatrix again = TernaryMatrix.unpack(packed, rows, columns, 0.25f);
        assertThat(again.codes()).containsExactly(matrix.codes());
        assertThat(again.scale()).isEqualTo(0.25f);
    }

    /** Every form is read back from the kernels' layout, whatever the codes came from. */
    @ParameterizedTest
    @CsvSource({"1, 1", "3, 7", "5, 130", "131, 31", "207, 65", "4100, 1030"})
    void codesFromRowsAndFromSegmentsAreTheSame(int rows, int columns) {
        byte[] codes = codes(rows * columns, 9);
        TernaryMatrix matrix = TernaryMatrix.ofRows(
                (row, to, offset) -> System.arraycopy(codes, row * columns, to, offset, columns), rows, columns, 2);
        assertThat(matrix.codes()).isEqualTo(codes);
        try (Arena arena = Arena.ofConfined()) {
            byte[] packed = matrix.pack();
            MemorySegment segment = arena.allocate(packed.length);
            segment.copyFrom(MemorySegment.ofArray(packed));
            assertThat(TernaryMatrix.unpack(segment, rows, columns, 2).codes()).isEqualTo(codes);
        }
        byte[] row = new byte[columns + 2];
        matrix.codes(rows - 1, row, 1);
        assertThat(row).startsWith(0).endsWith(0);
        assertThat(matrix.code(rows - 1, columns - 1)).isEqualTo(row[columns]).isEqualTo(codes[codes.length - 1]);
    }

    /** Row r in byte row r mod ceil(rows / 4), at bits 2 (r div ceil(rows / 4)). */
    @Test
    void packedLayout() {
        TernaryMatrix matrix = TernaryMatrix.ofCodes(new byte[]{1, 0, -1, 1, 0}, 5, 1, 1);
        // Byte row 0 holds rows 0, 2, 4; byte row 1 holds rows 1, 3.
        assertThat(matrix.pack()).containsExactly(2 | 0 << 2 | 1 << 4, 1 | 2 << 2);
    }

    @Test
    void quantizesToTheNearestOfThree() {
        TernaryMatrix matrix = TernaryMatrix.quantize(new float[]{1, -1, 0.25f, -0.25f, 0.5f, 0}, 2, 3);
        assertThat(matrix.scale()).isEqualTo(0.5f);
        // 0.25 / 0.5 is a half, which goes to the even neighbour 0.
        assertThat(matrix.codes()).containsExactly(1, -1, 0, 0, 1, 0);
        assertThat(TernaryMatrix.quantize(new float[3], 1, 3).codes()).containsOnly(0);
    }

    @Test
    void doublingTheWeightsLeavesTheCodesAlone() {
        Random random = new Random(5);
        float[] w = new float[21];
        float[] twice = new float[21];
        for (int i = 0; i < w.length; i++) {
            w[i] = (float) random.nextGaussian();
            twice[i] = 2 * w[i];
        }
        assertThat(TernaryMatrix.quantize(twice, 3, 7).codes())
                .containsExactly(TernaryMatrix.quantize(w, 3, 7).codes());
    }

    @Test
    void refusesWhatIsNotTernary() {
        assertThatIllegalArgumentException().isThrownBy(() -> TernaryMatrix.ofCodes(new byte[]{0, 1, 2, 0}, 2, 2, 1))
                .withMessage("codes must be -1, 0 or 1, got 2 at row 1, column 0");
        assertThatIllegalArgumentException().isThrownBy(() -> TernaryMatrix.unpack(new byte[]{3}, 1, 1, 1))
                .withMessage("packed codes must be 0, 1 or 2, got 3 at row 0, column 0");
        assertThatIllegalArgumentException().isThrownBy(() -> TernaryMatrix.ofCodes(new byte[3], 2, 2, 1))
                .withMessage("a matrix [2, 2] takes 4 codes, got 3");
        assertThatIllegalArgumentException().isThrownBy(() -> TernaryMatrix.ofCodes(new byte[1], 1, 1, Float.NaN))
                .withMessage("scale must be finite, got NaN");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TernaryMatrix.ofCodes(new byte[6], 2, 3, 1).matVec(new float[2], new float[2]))
                .withMessage("a matrix [2, 3] takes 3 inputs, got 2");
    }

    @Test
    void refusesImpossibleSizesWhereverCodesComeFrom() {
        String shape = "a matrix has 1 to 2^31 - 64 elements, got ";
        assertThatIllegalArgumentException().isThrownBy(() -> TernaryMatrix.quantize(new float[0], 0, 3))
                .withMessage(shape + "[0, 3]");
        assertThatIllegalArgumentException().isThrownBy(() -> TernaryMatrix.quantize(new float[0], 1 << 16, 1 << 16))
                .withMessage(shape + "[65536, 65536]");
        assertThatIllegalArgumentException().isThrownBy(() -> TernaryMatrix.quantize(new float[5], 2, 3))
                .withMessage("a matrix [2, 3] takes 6 weights, got 5");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TernaryMatrix.quantize(new float[]{1, Float.POSITIVE_INFINITY}, 1, 2))
                .withMessage("scale must be finite, got Infinity");
        assertThatIllegalArgumentException().isThrownBy(() -> TernaryMatrix.unpack(new byte[0], 3, 0, 1))
                .withMessage(shape + "[3, 0]");
        assertThatIllegalArgumentException().isThrownBy(() -> TernaryMatrix.unpack(new byte[0], 1 << 16, 1 << 16, 1))
                .withMessage(shape + "[65536, 65536]");
        assertThatIllegalArgumentException().isThrownBy(() -> TernaryMatrix.unpack(new byte[5], 5, 3, 1))
                .withMessage("a matrix [5, 3] takes 6 packed bytes, got 5");
    }

    /** Products of rows that are not rounded, against their twin of plain loops in double. */
    @ParameterizedTest
    @CsvSource({"1, 1, 1", "3, 7, 2", "16, 16, 1", "17, 31, 3", "33, 207, 2", "64, 65, 5", "100, 1021, 1"})
    void floatRowsAreMultipliedAsTheTwinDoes(int rows, int columns, int n) {
        byte[] codes = codes(rows * columns, 7);
        Random random = new Random(11);
        float[] x = new float[n * columns];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        float[] y = new float[n * rows + 1];
        Arrays.fill(y, Float.NaN);
        TernaryMatrix.ofCodes(codes, rows, columns, 0.25f).matMul(x, n, y);
        for (int t = 0; t < n; t++) {
            double size = 0;
            for (int i = 0; i < columns; i++) {
                size += Math.abs(x[t * columns + i]);
            }
            for (int row = 0; row < rows; row++) {
                byte[] own = Arrays.copyOfRange(codes, row * columns, (row + 1) * columns);
                double expected = 0.25 * NaiveKernels.floatSum(own, 0, columns, x, t * columns);
                assertThat((double) y[t * rows + row]).isCloseTo(expected,
                        offset(0.25 * columns * size / (1 << 23) + 1e-30));
            }
        }
        assertThat(y[n * rows]).as("behind the end").isNaN();
    }
}
