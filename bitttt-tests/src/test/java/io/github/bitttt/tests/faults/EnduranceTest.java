package io.github.bitttt.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/**
 * A million tokens and more through one session, in a process of its own: see {@link LongRead} for what holds at every moment.
 * {@code -Dbitttt.endurance.tokens} changes how many.
 */
class EnduranceTest {
    private static final long TOKENS = Long.getLong("bitttt.endurance.tokens", 1_000_000);

    @Test
    void aSessionReadsOnWithinItsBounds() throws IOException, InterruptedException {
        // -Xbatch: the reader waits for the compiler, so that a busy machine does not let it run uncompiled for longer.
        String output = new ChildJvm("-Xbatch", "-Xms128m", "-Xmx128m", "-XX:+AlwaysPreTouch").run(LongRead.class,
                String.valueOf(TOKENS)).success();
        String counts = output.lines().filter(line -> line.startsWith("endured ")).findFirst().orElseThrow();
        assertThat(counts).contains(String.valueOf(TOKENS)).endsWith("0 losses");
        Tally.write("endurance", counts);
    }
}
