package io.github.bitttt.capi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OriginalLayerParityTest {
    private static final float GUARD = 12345;
    /** Not a multiple of the block, so that a last one is smaller. */
    private static final int TOKENS = 75;

    @ParameterizedTest
    @ValueSource(ints = {4, 5, 7, 8, 15, 64, 100, 128, 129, 255, 256, 260, 515})
    void isWhatTheLoopsSay(int width) {
        SplittableRandom random = new SplittableRandom(width);
        OriginalLayer layer = new OriginalLayer(width, 0.1f, random);
        NaiveOriginalLayer naive = new NaiveOriginalLayer(layer.down(), layer.up(), 0.1f);
        double[][] rows = new double[TOKENS][width];
        for (int t = 0; t < TOKENS; t++) {
            for (int i = 0; i < width; i++) {
                // Some rows of nearly nothing, whose scale is 1, and one of nothing.
                rows[t][i] = t == 3 ? 0 : (float) (random.nextDouble(-1, 1) * (t % 10 == 5 ? 1e-10 : 1));
            }
        }
        double[][] expected = naive.forward(rows);
        // A second text finds an empty memory again.
        for (int text = 0; text < 2; text++) {
            compare(forward(layer, rows), expected, rows);
        }
        assertThat(naive.memoryNorm()).isGreaterThan(0.1);
    }

    /** With guards on both sides of the output. */
    private static float[] forward(OriginalLayer layer, double[][] rows) {
        int width = rows[0].length;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment input = arena.allocate(4L * TOKENS * width, 4);
            MemorySegment output = arena.allocate(4L * (TOKENS * width + 2), 4);
            for (int i = 0; i < TOKENS * width; i++) {
                input.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) rows[i / width][i % width]);
                output.setAtIndex(ValueLayout.JAVA_FLOAT, i + 1, Float.NaN);
            }
            output.setAtIndex(ValueLayout.JAVA_FLOAT, 0, GUARD);
            output.setAtIndex(ValueLayout.JAVA_FLOAT, TOKENS * width + 1, GUARD);
            layer.forward(input.address(), TOKENS, output.address() + 4);
            assertThat(output.getAtIndex(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(GUARD);
            assertThat(output.getAtIndex(ValueLayout.JAVA_FLOAT, TOKENS * width + 1)).isEqualTo(GUARD);
            return output.asSlice(4, 4L * TOKENS * width).toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /** Equal within float rounding, but where an answer lies so near a half that its code falls to the other side: then by no
     * more than two codes of its row, and seldom. */
    private static void compare(float[] got, double[][] expected, double[][] rows) {
        int width = rows[0].length;
        int apart = 0;
        for (int t = 0; t < TOKENS; t++) {
            double largest = 0;
            for (int i = 0; i < width; i++) {
                largest = Math.max(largest, Math.abs(expected[t][i] - rows[t][i]));
            }
            for (int i = 0; i < width; i++) {
                double difference = Math.abs(got[t * width + i] - expected[t][i]);
                assertThat(difference).as("row %d, column %d", t, i).isLessThan(1e-5 + 2.0 / 127 * largest);
                apart += difference > 1e-5 + 1e-4 * largest ? 1 : 0;
            }
        }
        assertThat(apart).isLessThan(TOKENS * width / 20);
    }

    @Test
    void drawsAThirdOfEachCode() {
        OriginalLayer layer = new OriginalLayer(512, 0.1f, new SplittableRandom(1));
        assertThat(layer.down().rows()).isEqualTo(128);
        int[] counts = new int[3];
        for (byte code : layer.down().codes()) {
            counts[code + 1]++;
        }
        double all = layer.down().codes().length;
        assertThat(counts[0] / all).isBetween(0.32, 0.34);
        assertThat(counts[1] / all).isBetween(0.32, 0.34);
        assertThat(counts[2] / all).isBetween(0.33, 0.35);
        assertThat(layer.up().scale()).isEqualTo(1);
    }

    @Test
    void refusesWhatCannotBe() {
        SplittableRandom random = new SplittableRandom(1);
        assertThatIllegalArgumentException().isThrownBy(() -> new OriginalLayer(3, 0.1f, random))
                .withMessage("hidden_dim must be 4 to 65536, got 3");
        assertThatIllegalArgumentException().isThrownBy(() -> new OriginalLayer(-1, 0.1f, random))
                .withMessage("hidden_dim must be 4 to 65536, got 18446744073709551615");
        assertThatIllegalArgumentException().isThrownBy(() -> new OriginalLayer(8, Float.NaN, random))
                .withMessage("inner_lr must be finite, got NaN");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new OriginalLayer(8, 0.1f, random).forward(0, Long.MAX_VALUE, 0))
                .withMessage("sequence_length 9223372036854775807 is more than memory can hold at hidden_dim 8");
    }
}
