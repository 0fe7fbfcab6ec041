package io.github.bitttt.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bitttt.tensor.internal.Kernels;
import io.github.bitttt.tensor.internal.NaiveKernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A scale for each group of inputs, in every family of kernels and beside the naive twin, to the bit. */
@Execution(ExecutionMode.CONCURRENT)
class GroupScalesTest {
    private static final float GUARD = 12345;
    private static final int TOKENS = 5; // four at once and one more

    static List<Arguments> cases() {
        List<Arguments> cases = new ArrayList<>();
        List<Kernels> families = new ArrayList<>(KernelsParityTest.families());
        families.add(NaiveKernels.INSTANCE);
        for (Kernels family : families) {
            String name = KernelsParityTest.label(family);
            for (int[] shape : new int[][]{{1, 64, 64}, {3, 128, 128}, {63, 192, 64}, {65, 256, 128}, {130, 384, 64},
                    {207, 21, 7}, {128, 512, 256}, {4200, 1024, 128}}) {
                cases.add(Arguments.of(name, shape[0], shape[1], shape[2], family));
            }
        }
        return cases;
    }

    private static byte[] codes(int n, int all, Random random) {
        byte[] codes = new byte[n];
        for (int i = 0; i < n; i++) {
            codes[i] = (byte) (all == -2 ? random.nextInt(3) - 1 : all);
        }
        return codes;
    }

    private static float[] floats(int n, Random random) {
        float[] floats = new float[n];
        for (int i = 0; i < n; i++) {
            floats[i] = (float) random.nextGaussian();
        }
        return floats;
    }

    private static TernaryMatrix matrix(byte[] codes, int rows, int columns, int group, float[] scales) {
        return TernaryMatrix.ofGroups((row, to, at) -> System.arraycopy(codes, row * columns, to, at, columns), rows,
                columns, group, scales);
    }

    @ParameterizedTest(name = "{0}, {1} x {2}, groups of {3}")
    @MethodSource("cases")
    void productsAreTheNaiveTwins(String name, int rows, int columns, int group, Kernels family) {
        Random random = new Random(rows);
        for (int all : new int[]{-2, -1, 1}) {
            byte[] codes = codes(rows * columns, all, random);
            float[] scales = floats(rows * (columns / group), random);
            float[] x = floats(TOKENS * columns, random);
            if (all == 1) {
                Arrays.fill(x, -1); // the largest sums
            }
            TernaryMatrix matrix = matrix(codes, rows, columns, group, scales).with(family);
            assertThat(matrix.codes()).isEqualTo(codes);
            RoundedRows rounded = new RoundedRows(columns, family);
            rounded.round(x, 0, TOKENS);
            float[] expected = new float[TOKENS * rows];
            byte[] row = new byte[columns];
            float[] one = new float[rows];
            for (int t = 0; t < TOKENS; t++) {
                for (int i = 0; i < columns; i++) {
                    row[i] = rounded.code(t, i);
                }
                NaiveKernels.groupedSums(codes, rows, columns, group, scales, row, rounded.scale(t), one);
                System.arraycopy(one, 0, expected, t * rows, rows);
            }
            float[] together = guarded(rows);
            matrix.matMul(rounded, together, 1);
            float[] each = guarded(rows);
            for (int t = 0; t < TOKENS; t++) {
                matrix.matVec(rounded, t, each, 1 + t * rows);
            }
            for (float[] y : List.of(together, each)) {
                assertThat(Arrays.copyOfRange(y, 1, y.length - 1)).containsExactly(expected);
                assertThat(y[0]).isEqualTo(GUARD);
                assertThat(y[y.length - 1]).isEqualTo(GUARD);
            }
        }
    }

    private static float[] guarded(int rows) {
        float[] y = new float[TOKENS * rows + 2];
        Arrays.fill(y, Float.NaN);
        y[0] = GUARD;
        y[y.length - 1] = GUARD;
        return y;
    }

    @Test
    void floatInputsAreNotRounded() {
        byte[] codes = {1, -1, 0, 1};
        TernaryMatrix matrix = matrix(codes, 1, 4, 2, new float[]{2, 10});
        float[] y = new float[1];
        matrix.matVec(new float[]{0.5f, 0.25f, 9, 0.125f}, y);
        assertThat(y[0]).isEqualTo(1.75f);
    }

    @Test
    void scalesAreThoseOfTheirGroups() {
        TernaryMatrix matrix = matrix(new byte[8], 2, 4, 2, new float[]{1, 2, 3, 4});
        assertThat(matrix.group()).isEqualTo(2);
        assertThat(matrix.scale(0, 1)).isEqualTo(1);
        assertThat(matrix.scale(0, 2)).isEqualTo(2);
        assertThat(matrix.scale(1, 0)).isEqualTo(3);
        assertThat(matrix.scale(1, 3)).isEqualTo(4);
        assertThat(matrix.bytes()).isEqualTo(4 + 16);
        assertThat(matrix).hasToString("TernaryMatrix[2, 4], a scale for each 2 inputs");
        TernaryMatrix single = TernaryMatrix.ofCodes(new byte[8], 2, 4, 3);
        assertThat(single.group()).isEqualTo(4);
        assertThat(single.scale(1, 3)).isEqualTo(3);
    }

    @Test
    void refusesWhatHasNoGroups() {
        assertThatIllegalArgumentException().isThrownBy(() -> matrix(new byte[6], 1, 6, 4, new float[1]))
                .withMessage("a group has 1 to 256 inputs, and a row whole groups, got 4 of 6");
        assertThatIllegalArgumentException().isThrownBy(() -> matrix(new byte[6], 1, 6, 3, new float[3]))
                .withMessage("a matrix [1, 6] takes 2 scales, got 3");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> matrix(new byte[6], 1, 6, 3, new float[]{1, Float.POSITIVE_INFINITY}))
                .withMessage("scale must be finite, got Infinity");
        TernaryMatrix matrix = matrix(new byte[6], 1, 6, 3, new float[2]);
        String message = "a matrix with a scale for each 3 inputs has no single scale";
        assertThatExceptionOfType(IllegalStateException.class).isThrownBy(matrix::scale).withMessage(message);
        assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> matrix.withScale(1))
                .withMessage(message);
    }
}
