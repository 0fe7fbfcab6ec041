package io.github.bitttt.llama.text;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/**
 * Line after line of a log. Unlike {@link TextFile.Lines} it refuses nothing, for a log is not in its reader's hand: bytes that are not UTF-8
 * become U+FFFD, and what a line has beyond {@value #MOST_BYTES} bytes is left out. For one thread.
 */
public final class LogLines implements AutoCloseable {
    /** Bytes of a line that are kept. */
    public static final int MOST_BYTES = 4096;

    private final InputStream in;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private boolean skipLineFeed;

    /** Lines of a stream, which may never end.
     *
     * @param in a {@link GrowingFile}, standard input or the like; closed with this */
    public LogLines(InputStream in) {
        this.in = new BufferedInputStream(in);
    }

    /** The next line, without its end: a line feed, a carriage return or both.
     *
     * @return null at the end of the stream
     * @throws IOException if reading fails */
    public String next() throws IOException {
        bytes.reset();
        int read;
        boolean any = false;
        while ((read = in.read()) >= 0) {
            boolean second = read == '\n' && skipLineFeed;
            skipLineFeed = read == '\r';
            if (second) {
                continue;
            }
            any = true;
            if (read == '\n' || read == '\r') {
                break;
            }
            if (bytes.size() < MOST_BYTES) {
                bytes.write(read);
            }
        }
        return any ? bytes.toString(StandardCharsets.UTF_8) : null;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
