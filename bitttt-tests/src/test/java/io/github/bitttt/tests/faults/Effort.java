package io.github.bitttt.tests.faults;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Optional;

/** What an action threw, and what it took of this thread: processor time, which a busy machine does not change, and memory. */
record Effort(Optional<Throwable> thrown, Duration processorTime, long allocatedBytes) {
    private static final Duration LONGEST = Duration.ofSeconds(1);
    private static final long FIXED_BYTES = 64 << 20;
    private static final long BYTES_PER_BYTE = 64;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** What is measured. */
    @FunctionalInterface
    interface Action {
        void run() throws IOException;
    }

    static Effort of(Action action) {
        long allocated = THREADS.getCurrentThreadAllocatedBytes();
        long time = THREADS.getCurrentThreadCpuTime();
        Optional<Throwable> thrown = Optional.empty();
        try {
            action.run();
        } catch (IOException | RuntimeException | Error e) {
            thrown = Optional.of(e);
        }
        return new Effort(thrown, Duration.ofNanos(THREADS.getCurrentThreadCpuTime() - time),
                THREADS.getCurrentThreadAllocatedBytes() - allocated);
    }

    /** What was more than a reader may take: a second, and 64 MB and 64 times the file. */
    Optional<String> excess(long fileBytes) {
        if (processorTime.compareTo(LONGEST) > 0) {
            return Optional.of("took " + processorTime);
        }
        if (allocatedBytes > FIXED_BYTES + BYTES_PER_BYTE * fileBytes) {
            return Optional.of("a file of " + fileBytes + " bytes made it allocate " + allocatedBytes);
        }
        return Optional.empty();
    }
}
