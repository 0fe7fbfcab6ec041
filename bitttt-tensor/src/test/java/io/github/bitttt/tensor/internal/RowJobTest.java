package io.github.bitttt.tensor.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class RowJobTest {
    private static final int ROWS = 16;
    private static final int STRIDE = 20;
    private static final int[] STARTS = {0, 4, 8, 12, 16};

    /** Two rows of outputs, each the number of its row; helpers of the first run do not come back until they are let go. */
    private static final class Counting extends RowJob {
        private final CountDownLatch begun = new CountDownLatch(1);
        private final CountDownLatch released = new CountDownLatch(1);
        private final boolean late;
        private volatile float value = 1;

        Counting(boolean late) {
            super(4);
            this.late = late;
        }

        @Override
        void slice(int slice, int worker, float[] y, int yOffset, int yStride) {
            float mine = value;
            boolean helper = worker < Helper.count();
            if (helper && late) {
                begun.countDown();
                await(released);
            } else if (late) {
                await(begun); // so that there is one
            }
            for (int t = 0; t < 2; t++) {
                for (int row = STARTS[slice]; row < STARTS[slice + 1]; row++) {
                    y[yOffset + t * yStride + row] = mine * (100 * t + row);
                }
            }
        }

        private static void await(CountDownLatch latch) {
            try {
                latch.await();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    @BeforeEach
    void thereAreHelpers() {
        Assumptions.assumeTrue(Helper.count() > 0, "one core");
        Helper.report(2); // they are asked
    }

    @Test
    void helpersThatDoNotPayAreAskedLessAndLess() {
        for (int pause : new int[]{1, 2, 4, 8, 16, 32, 64, 128, 256, 256}) {
            Helper.report(0.9);
            for (int product = 0; product < pause; product++) {
                assertThat(Helper.isWorthAsking()).isFalse();
            }
            assertThat(Helper.isWorthAsking()).isTrue();
        }
        Helper.report(1.5);
        assertThat(Helper.isWorthAsking()).isTrue();
        assertThat(Helper.isWorthAsking()).isTrue();
    }

    private static float[] expected(float value) {
        float[] expected = new float[2 + 2 * STRIDE];
        Arrays.fill(expected, -7);
        for (int t = 0; t < 2; t++) {
            for (int row = 0; row < ROWS; row++) {
                expected[1 + t * STRIDE + row] = value * (100 * t + row);
            }
        }
        return expected;
    }

    private static float[] run(RowJob job) {
        float[] y = new float[2 + 2 * STRIDE];
        Arrays.fill(y, -7);
        job.run(STARTS, 2, y, 1, STRIDE);
        return y;
    }

    @Test
    void whoeverMakesASliceTheOutputsAreTheSame() {
        Counting job = new Counting(false);
        for (int round = 1; round < 2000; round++) {
            assertThat(job.isReady(4)).isTrue();
            job.value = round;
            Helper.report(2);
            assertThat(run(job)).containsExactly(expected(round));
        }
        assertThat(job.isReady(5)).as("slices").isFalse();
    }

    /** The fault: a helper that was taken off its core held a slice, and the caller waited. */
    @Test
    void aHelperThatIsLateHoldsNobodyUpAndWritesNothing() throws InterruptedException {
        Counting job = new Counting(true);
        float[] y = run(job);
        assertThat(y).containsExactly(expected(1));
        assertThat(job.isReady(4)).as("a helper is in it").isFalse();
        job.value = 2;
        Arrays.fill(y, 5);
        job.released.countDown();
        while (!job.isReady(4)) {
            TimeUnit.MILLISECONDS.sleep(1);
        }
        assertThat(y).containsOnly(5);
        Helper.report(2);
        assertThat(run(job)).containsExactly(expected(2));
    }

    @Test
    void whatFailsFailsInTheThreadThatAsked() {
        RowJob job = new RowJob(4) {
            @Override
            void slice(int slice, int worker, float[] y, int yOffset, int yStride) {
                throw new IllegalArgumentException("slice");
            }
        };
        assertThatIllegalArgumentException().isThrownBy(() -> run(job)).withMessage("slice");
    }

    @Test
    void slicesAreWholeBlocksAndEndWithTheLastRow() {
        int[] starts = RowJob.firstRows(4200, 128);
        assertThat(starts[0]).isZero();
        assertThat(starts[starts.length - 1]).isEqualTo(4200);
        for (int i = 1; i < starts.length - 1; i++) {
            assertThat(starts[i] % 128).isZero();
            assertThat(starts[i]).isGreaterThan(starts[i - 1]);
        }
    }
}
