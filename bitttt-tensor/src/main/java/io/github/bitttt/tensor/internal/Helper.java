package io.github.bitttt.tensor.internal;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/** A thread that helps with large products, one for each core but the caller's; it looks for work for a while after the last and
 * then sleeps. While helpers do not pay, because the other cores are taken, they are asked less and less often. */
final class Helper implements Runnable {
    private static final int PATIENCE = 2000; // looks, some tens of microseconds
    private static final Helper[] ALL = new Helper[Math.min(Runtime.getRuntime().availableProcessors(), 16) - 1];

    static {
        Arrays.setAll(ALL, Helper::new);
    }

    private static final double PAYS = 1.1; // times one thread's speed
    private static final int LONGEST_PAUSE = 256; // products
    // All matrices and threads share them; that one product too many asks or does not is no matter.
    private static volatile int pause;
    private static volatile int products;

    private final AtomicReference<RowJob> offered = new AtomicReference<>();
    private final int index;
    private volatile Thread thread;
    private volatile boolean asleep;

    private Helper(int index) {
        this.index = index;
    }

    /** How many there are.
     *  @return 0 where there is one core */
    static int count() {
        return ALL.length;
    }

    /** If helpers are to be asked for the next product.
     *  @return false for a while after they did not pay */
    static boolean isWorthAsking() {
        if (ALL.length == 0) {
            return false;
        }
        int left = products;
        products = Math.max(left - 1, 0);
        return left == 0;
    }

    /** What a product with helpers was worth: where they do not pay, twice as many products go by without them each time.
     *
     * @param speed times that of the calling thread alone */
    static void report(double speed) {
        int next = speed > PAYS ? 0 : Math.min(Math.max(2 * pause, 1), LONGEST_PAUSE);
        pause = next;
        products = next;
    }

    /** Tells all helpers that there is work; for one that has another job waiting it is left to the others. */
    static void offerAll(RowJob job) {
        for (Helper helper : ALL) {
            helper.offer(job);
        }
    }

    private void offer(RowJob job) {
        offered.compareAndSet(null, job);
        if (thread == null) {
            start();
        } else if (asleep) {
            LockSupport.unpark(thread);
        }
    }

    private synchronized void start() {
        if (thread == null) {
            thread = Thread.ofPlatform().daemon().name("bitttt-rows-" + (index + 1)).start(this);
        }
    }

    @Override
    public void run() {
        int idle = 0;
        while (true) {
            RowJob job = offered.getAndSet(null);
            if (job != null) {
                job.help(index);
                idle = 0;
            } else if (idle++ < PATIENCE) {
                Thread.onSpinWait();
            } else {
                asleep = true;
                if (offered.get() == null) {
                    LockSupport.park(this);
                }
                asleep = false;
                idle = 0;
            }
        }
    }
}
