package io.github.bitttt.llama.generate;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.tensor.KernelChoice;
import java.lang.management.ManagementFactory;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Counts bytes, not time. */
class AllocationTest {
    private static final int TOKENS = 2000;
    private static final int PASSES = 60; // the compiler needs a few of them to see that no vector leaves a loop

    @Test
    void aDecodedTokenAllocatesNothing() throws InterruptedException {
        KernelChoice.current().awaitReady();
        // Odd sizes: the ends of rows and of blocks are no exception.
        BitLlamaConfig config = BitLlamaConfig.of(270, 100, 2, 207);
        Weights weights = Weights.init(new BitLlama(config).params(), 1);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Session session = Model.of(new Checkpoint(config, weights, Map.of()).pack()).newSession()) {
            long allocated = Long.MAX_VALUE;
            for (int pass = 0; pass < PASSES && allocated > 0; pass++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < TOKENS; i++) {
                    session.feed(i % 270);
                }
                allocated = threads.getCurrentThreadAllocatedBytes() - before;
            }
            assertThat(allocated).isZero();
        }
    }
}
