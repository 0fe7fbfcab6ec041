package io.github.bitttt.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.tensor.internal.NaiveKernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

class SlicedWeightsTest {
    private static final int ROWS = 4200;
    private static final int COLUMNS = 1030;
    private static final int TOKENS = 6;

    private static float[] product(TernaryMatrix matrix, RoundedRows rows) {
        float[] y = new float[TOKENS * ROWS];
        matrix.matMul(rows, y, 0);
        return y;
    }

    private static RoundedRows rounded(RoundedRows rows, int seed) {
        Random random = new Random(seed);
        float[] x = new float[TOKENS * COLUMNS];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        rows.round(x, 0, TOKENS);
        return rows;
    }

    /** Several sessions share the helpers; each gets its own sums, before and after the kernels are compiled. */
    @Test
    void threadsMultiplyOneLargeMatrix() throws Exception {
        Random random = new Random(1);
        byte[] codes = new byte[ROWS * COLUMNS];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (random.nextInt(3) - 1);
        }
        TernaryMatrix matrix = TernaryMatrix.ofCodes(codes, ROWS, COLUMNS, 0.5f);
        List<float[]> expected = new ArrayList<>();
        for (int seed = 0; seed < 3; seed++) {
            expected.add(product(matrix.with(NaiveKernels.INSTANCE),
                    rounded(new RoundedRows(COLUMNS, NaiveKernels.INSTANCE), seed)));
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
            for (int round = 0; round < 2; round++) {
                List<Future<float[]>> running = new ArrayList<>();
                for (int seed = 0; seed < 3; seed++) {
                    int mine = seed;
                    running.add(threads.submit(() -> {
                        RoundedRows rows = new RoundedRows(COLUMNS);
                        product(matrix, rounded(rows, mine + 7));
                        return product(matrix, rounded(rows, mine));
                    }));
                }
                for (int seed = 0; seed < 3; seed++) {
                    assertThat(running.get(seed).get()).containsExactly(expected.get(seed));
                }
                KernelChoice.current().awaitReady();
            }
        }
    }
}
