package io.github.bitttt.llama.hub;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** A stream that is closed, so that its reader gets an exception, when nothing has come for between one and two times a while. */
final class WatchedStream extends FilterInputStream {
    private final AtomicLong pieces = new AtomicLong();
    private final ScheduledExecutorService watch = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("bitttt-pull-watch").factory());
    private long seen = -1; // by the watch alone

    WatchedStream(InputStream body, Duration silence) {
        super(body);
        watch.scheduleWithFixedDelay(this::look, 0, silence.toMillis(), TimeUnit.MILLISECONDS);
    }

    private void look() {
        long now = pieces.get();
        if (now == seen) {
            try {
                in.close();
            } catch (IOException e) {
                return; // it is the reader who is told
            }
        }
        seen = now;
    }

    @Override
    public int read() throws IOException {
        int read = in.read();
        pieces.incrementAndGet();
        return read;
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
        int read = in.read(to, offset, length);
        pieces.incrementAndGet();
        return read;
    }

    @Override
    public void close() throws IOException {
        watch.shutdownNow();
        in.close();
    }
}
