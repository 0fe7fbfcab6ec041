package io.github.bitttt.llama.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import org.junit.jupiter.api.Test;

class SamplerTest {
    private static final float[] LOGITS = {(float) Math.log(0.5), (float) Math.log(0.25), (float) Math.log(0.15),
            (float) Math.log(0.1)};

    private static double[] frequencies(SamplerOptions options) {
        Sampler sampler = Sampler.of(options);
        double[] counts = new double[4];
        for (int i = 0; i < 20_000; i++) {
            counts[sampler.pick(LOGITS)] += 1.0 / 20_000;
        }
        return counts;
    }

    private static void assertFrequencies(SamplerOptions options, double... expected) {
        double[] got = frequencies(options);
        for (int i = 0; i < 4; i++) {
            assertThat(got[i]).isCloseTo(expected[i], offset(0.02));
        }
    }

    @Test
    void drawsByProbability() {
        assertFrequencies(new SamplerOptions(1, 0, 1, 1, 7), 0.5, 0.25, 0.15, 0.1);
    }

    @Test
    void topKAndTopP() {
        assertFrequencies(new SamplerOptions(1, 2, 1, 1, 7), 2 / 3.0, 1 / 3.0, 0, 0);
        assertFrequencies(new SamplerOptions(1, 0, 0.6, 1, 7), 2 / 3.0, 1 / 3.0, 0, 0);
        assertFrequencies(new SamplerOptions(1, 3, 0.5, 1, 7), 1, 0, 0, 0);
    }

    @Test
    void temperatureSharpens() {
        assertThat(frequencies(new SamplerOptions(0.1, 0, 1, 1, 7))[0]).isGreaterThan(0.99);
        assertFrequencies(SamplerOptions.GREEDY, 1, 0, 0, 0);
    }

    @Test
    void repetitionIsPenalized() {
        Sampler sampler = Sampler.of(new SamplerOptions(0, 0, 1, 4, 7));
        sampler.seen(0);
        assertThat(sampler.pick(new float[]{2, 1, 0, 0})).isEqualTo(1);
    }

    @Test
    void sameSeedSameTokens() {
        Sampler a = Sampler.of(1, 11);
        Sampler b = Sampler.of(1, 11);
        for (int i = 0; i < 100; i++) {
            assertThat(a.pick(LOGITS)).isEqualTo(b.pick(LOGITS));
        }
    }

    @Test
    void refusesBadInput() {
        assertThatIllegalArgumentException().isThrownBy(() -> Sampler.of(1, 1).pick(new float[]{0, Float.NaN}))
                .withMessage("logits must be finite, got NaN for token 1");
        assertThatIllegalArgumentException().isThrownBy(() -> new SamplerOptions(-1, 0, 1, 1, 1))
                .withMessage("temperature must be at least 0, got -1.0");
        assertThatIllegalArgumentException().isThrownBy(() -> new SamplerOptions(1, 0, 0, 1, 1))
                .withMessage("top_p must be above 0 and at most 1, got 0.0");
    }

    @Test
    void whatWasSaidIsNotSaidAgainAtLength() {
        // a b c d, a b c: d follows three tokens that agree, and a b c d a b c four more, when it comes the second time.
        Sampler sampler = Sampler.of(new SamplerOptions(0, 0, 1, 1, 0.8, 7));
        sampler.seen(0, 1, 2, 3, 0, 1);
        assertThat(sampler.pick(new float[]{0, 0, 1, 0.9f})).as("two agree").isEqualTo(2);
        assertThat(sampler.pick(new float[]{0.21f, 0, 0, 1})).as("three agree").isEqualTo(0);
        Sampler other = Sampler.of(new SamplerOptions(0, 0, 1, 1, 0.8, 7));
        other.seen(0, 1, 2, 3, 0, 1, 2);
        assertThat(other.pick(new float[]{0.19f, 0, 0, 1})).as("three agree").isEqualTo(3);
        assertThat(other.pick(new float[]{1, 0.61f, 0, 0})).as("four agree: 1.4").isEqualTo(1);
        Sampler none = Sampler.of(new SamplerOptions(0, 0, 1, 1, 7));
        none.seen(0, 1, 2, 3, 0, 1, 2);
        assertThat(none.pick(new float[]{0.99f, 0, 0, 1})).isEqualTo(3);
    }

    /** A model that only wants one token is kept from it, however long its text; and back again when the text has changed. */
    @Test
    void aLoopEnds() {
        Sampler sampler = Sampler.of(new SamplerOptions(0, 0, 1, 1, 0.8, 7));
        int inARow = 0;
        int longest = 0;
        for (int i = 0; i < 5_000; i++) {
            inARow = sampler.pick(new float[]{9, i % 7, i % 5, i % 3}) == 0 ? inARow + 1 : 0;
            longest = Math.max(longest, inARow);
        }
        assertThat(longest).isBetween(4, 12);
    }
}
