package io.github.bitttt.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WindowReaderTest {
    private static final int WINDOW = 32;

    @ParameterizedTest(name = "carry {0}, seed 5")
    @ValueSource(ints = {1, 3})
    void readsEachPassageTwiceInARow(int carry) {
        int[] ids = IntStream.range(0, 5000).toArray();
        TrainingOptions options = TrainingOptions.of(10_000).withBatch(1, WINDOW).withCarry(carry).withRepeats(1)
                .withSeed(5);
        WindowReader reader = new WindowReader(TrainingText.of(ids), options, 0);
        boolean[] seen = new boolean[WINDOW];
        for (int stretch = 0; stretch < 200; stretch++) {
            int[] tokens = stretch(reader, carry);
            int passage = Arrays.stream(tokens, 1, tokens.length).boxed().toList().indexOf(tokens[0]) + 1;
            seen[passage] = true;
            for (int i = 0; i < tokens.length; i++) {
                int again = i % (2 * passage) >= passage ? i - passage : i;
                assertThat(tokens[i]).isEqualTo(tokens[again])
                        .isEqualTo(tokens[0] + i / (2 * passage) * passage + i % passage);
            }
        }
        for (int passage = 0; passage < WINDOW; passage++) {
            assertThat(seen[passage]).as("passages of %d tokens", passage).isEqualTo(
                    passage >= WINDOW / 8 && passage <= WINDOW / 2);
        }
    }

    @ParameterizedTest(name = "share {0}, seed 5")
    @ValueSource(doubles = {0, 0.25})
    void repeatsAShareOfTheStretches(double share) {
        int[] ids = IntStream.range(0, 5000).toArray();
        WindowReader reader = new WindowReader(TrainingText.of(ids),
                TrainingOptions.of(10_000).withBatch(1, WINDOW).withRepeats(share).withSeed(5), 0);
        int repeated = 0;
        for (int i = 0; i < 1000; i++) {
            int[] tokens = reader.window();
            repeated += tokens[WINDOW] == tokens[0] + WINDOW ? 0 : 1;
        }
        assertThat(repeated / 1000.0).isBetween(share - 0.04, share + 0.04);
    }

    /** The windows of one stretch joined: each begins with the target of the last token before it. */
    private static int[] stretch(WindowReader reader, int carry) {
        int[] tokens = new int[carry * WINDOW + 1];
        for (int i = 0; i < carry; i++) {
            System.arraycopy(reader.window(), 0, tokens, i * WINDOW, WINDOW + 1);
        }
        return tokens;
    }
}
