package io.github.bitttt.cli;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.concurrent.CountDownLatch;

/** How fast this machine's memory is read: by every core at once, each its own part of what is far larger than the caches. */
final class MemoryRate {
    private static final long BYTES = 256L << 20;
    private static volatile long sink;

    private MemoryRate() {
    }

    /** Measures for about a tenth of a second; the room is given back.
     *
     * @return gigabytes (10^9 bytes) a second, all cores together
     * @throws InterruptedException if the thread is interrupted while others read */
    static double gigabytesPerSecond() throws InterruptedException {
        int threads = Runtime.getRuntime().availableProcessors();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment all = arena.allocate(BYTES, 64);
            all.fill((byte) 1); // a page that nobody wrote is not read from memory
            long part = BYTES / threads / 64 * 64;
            read(all, part, threads);
            double fastest = 0;
            for (int run = 0; run < 3; run++) {
                fastest = Math.max(fastest, part * threads / read(all, part, threads));
            }
            return fastest;
        }
    }

    /** The nanoseconds that all threads took. */
    private static double read(MemorySegment all, long part, int threads) throws InterruptedException {
        CountDownLatch done = new CountDownLatch(threads);
        long start = System.nanoTime();
        for (int thread = 0; thread < threads; thread++) {
            MemorySegment own = all.asSlice(thread * part, part);
            Thread.ofPlatform().daemon().start(() -> {
                sink += sum(own);
                done.countDown();
            });
        }
        done.await();
        return System.nanoTime() - start;
    }

    private static long sum(MemorySegment of) {
        long a = 0;
        long b = 0;
        long c = 0;
        long d = 0;
        int longs = (int) (of.byteSize() / 8);
        for (int i = 0; i < longs; i += 4) {
            a += of.getAtIndex(ValueLayout.JAVA_LONG, i);
            b += of.getAtIndex(ValueLayout.JAVA_LONG, i + 1);
            c += of.getAtIndex(ValueLayout.JAVA_LONG, i + 2);
            d += of.getAtIndex(ValueLayout.JAVA_LONG, i + 3);
        }
        return a + b + c + d;
    }
}
