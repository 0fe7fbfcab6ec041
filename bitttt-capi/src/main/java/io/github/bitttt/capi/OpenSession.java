package io.github.bitttt.capi;

import io.github.bitttt.llama.generate.Session;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * A session with a guard at its door. One call at a time: a second one is refused and does not wait, for it might be waited
 * for by the first, as where a runtime brings its callbacks to one thread.
 */
final class OpenSession {
    /** Tokens between looks at whether somebody cancelled: some 30 ms of a small model. */
    private static final int SLICE = 1024;

    private final Session session;
    private final AtomicBoolean used = new AtomicBoolean();
    private final AtomicInteger cancellations = new AtomicInteger();

    OpenSession(Session session) {
        this.session = session;
    }

    /** What is done with a session.
     *  @param <R> its result */
    @FunctionalInterface
    interface Work<R> {
        R with(Session session) throws Exception;
    }

    <R> R use(Work<R> work) throws Exception {
        if (!used.compareAndSet(false, true)) {
            throw new CallException(ErrorCode.BUSY,
                    "this session is being used by another thread; fork it, or let one call end before the next");
        }
        try {
            return work.with(session);
        } finally {
            used.set(false);
        }
    }

    /** Whether somebody cancels from now on.
     *  @return asked from any thread */
    BooleanSupplier cancelled() {
        int before = cancellations.get();
        return () -> cancellations.get() != before;
    }

    /** Ends what goes on now; what begins later is not touched. */
    void cancel() {
        cancellations.incrementAndGet();
    }

    /** JSON: position, norms and, where there is a memory at the output, what it has been worth. */
    static String description(Session open) {
        String output = open.outputGain().map(gain -> String.format(Locale.ROOT,
                ",\"output_memory\":{\"tokens\":%d,\"frozen_nats\":%s,\"nats\":%s}", gain.tokens(), gain.frozenNats(),
                gain.nats())).orElse("");
        return String.format(Locale.ROOT, "{\"position\":%d,\"memory_norms\":%s%s}", open.position(),
                Arrays.toString(open.memoryNorms()), output);
    }

    /** Reads a text: the memory learns.
     *
     * @return tokens read: fewer than there are if somebody cancelled */
    int learn(String text) throws Exception {
        BooleanSupplier cancelled = cancelled();
        return use(open -> {
            int[] ids = open.encode(text);
            int read = 0;
            while (read < ids.length && !cancelled.getAsBoolean()) {
                int end = Math.min(ids.length, read + SLICE);
                open.feed(Arrays.copyOfRange(ids, read, end));
                read = end;
            }
            if (read < ids.length) {
                throw new CallException(ErrorCode.CANCELLED,
                        "cancelled after " + read + " of " + ids.length + " tokens");
            }
            return read;
        });
    }
}
