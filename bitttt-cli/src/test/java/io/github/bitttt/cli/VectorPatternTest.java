package io.github.bitttt.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import org.junit.jupiter.api.Test;

class VectorPatternTest {
    @Test
    void aPatternIsLearned() {
        double[] losses = VectorPattern.losses(1);
        assertThat(losses).hasSize(300);
        assertThat(losses[0]).isCloseTo(0.5, offset(1e-4));
        assertThat(losses[297] + losses[298] + losses[299]).isLessThan(0.1 * (losses[0] + losses[1] + losses[2]));
    }
}
