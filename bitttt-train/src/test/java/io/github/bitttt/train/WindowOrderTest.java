package io.github.bitttt.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WindowOrderTest {
    private static final int WINDOW = 32;

    @ParameterizedTest(name = "carry {0}, seed 5")
    @ValueSource(ints = {1, 3})
    void readsEachPassageTwiceInARow(int carry) {
        int[] ids = IntStream.range(0, 5000).toArray();
        TrainingOptions options = TrainingOptions.of(10_000).withBatch(1, WINDOW).withCarry(carry).withRepeats(1)
                .withSeed(5);
        TrainingText text = TrainingText.of(ids);
        WindowOrder order = new WindowOrder(ids.length, options.windows());
        boolean[] seen = new boolean[WINDOW];
        for (int stretch = 0; stretch < 200; stretch++) {
            int[] tokens = stretch(order, text, stretch, carry);
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
        WindowOrder order = new WindowOrder(ids.length,
                TrainingOptions.of(10_000).withBatch(1, WINDOW).withRepeats(share).withSeed(5).windows());
        int repeated = 0;
        for (int i = 0; i < 1000; i++) {
            TokenBatch window = order.batch(TrainingText.of(ids), i, 0, 1);
            repeated += window.targets()[WINDOW - 1] == window.inputs()[0] + WINDOW ? 0 : 1;
        }
        assertThat(repeated / 1000.0).isBetween(share - 0.04, share + 0.04);
    }

    /** The windows of one stretch joined: each begins with the target of the last token before it. */
    private static int[] stretch(WindowOrder order, TrainingText text, int stretch, int carry) {
        int[] tokens = new int[carry * WINDOW + 1];
        for (int i = 0; i < carry; i++) {
            TokenBatch window = order.batch(text, (long) stretch * carry + i, 0, 1);
            System.arraycopy(window.inputs(), 0, tokens, i * WINDOW, WINDOW);
            tokens[(i + 1) * WINDOW] = window.targets()[WINDOW - 1];
        }
        return tokens;
    }

    /** Some streams of a step are those streams of the whole step: what a worker of a cluster reads. */
    @ParameterizedTest(name = "carry {0}, seed 5")
    @ValueSource(ints = {1, 3})
    void partsOfAStepAreThoseOfTheWholeStep(int carry) {
        TrainingText text = TrainingText.of(IntStream.range(0, 700).toArray());
        WindowOptions options = WindowOptions.DEFAULT.withBatch(6, 8).withCarry(carry).withRepeats(0.5)
                .withOrderSeed(5);
        WindowOrder whole = new WindowOrder(text.length(), options);
        WindowOrder worker = new WindowOrder(text.length(), options);
        for (int step = 0; step < 60; step++) {
            TokenBatch all = whole.batch(text, step, 0, 6);
            TokenBatch part = worker.batch(text, step, 2, 3);
            assertThat(part.inputs()).containsExactly(Arrays.copyOfRange(all.inputs(), 16, 40));
            assertThat(part.targets()).containsExactly(Arrays.copyOfRange(all.targets(), 16, 40));
        }
    }
}
