package io.github.bitttt.llama.text;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.Objects;

/**
 * The bytes of a file that others write to: where they end, a read waits for more.
 *
 * <p>A log may be rotated meanwhile: another file then stands under its name, or the same one begins anew. It goes on there from the first
 * byte, after a line feed if the last line before had none. Not seen is a file that was emptied and has become longer than it was
 * between two looks at it, and, where the system gives files no identity, another one that is not shorter. For one reader; any thread may
 * close it, which ends the stream.
 */
public final class GrowingFile extends InputStream {
    private final Path file;
    private final long millis; // between two looks
    private FileChannel channel;
    private Object identity;
    private long position;
    private int last = '\n';
    private volatile boolean closed;

    /** Opens a file.
     *
     * @param file    to read
     * @param fromEnd whether what is in it already is left out
     * @param pause   between two looks at a file that has not grown, at least 1 ms
     * @throws IOException if it cannot be opened; the message names it */
    public GrowingFile(Path file, boolean fromEnd, Duration pause) throws IOException {
        if (pause.toMillis() < 1) {
            throw new IllegalArgumentException("pause must be at least 1 ms, got " + pause);
        }
        TextFile.checkReadable(file);
        this.file = file;
        millis = pause.toMillis();
        open();
        position = fromEnd ? channel.size() : 0;
    }

    private void open() throws IOException {
        channel = FileChannel.open(file, StandardOpenOption.READ);
        identity = attributes().fileKey();
        position = 0;
    }

    private BasicFileAttributes attributes() throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 255;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
        Objects.checkFromIndexSize(offset, length, bytes.length);
        if (length == 0) {
            return 0;
        }
        while (!closed) {
            boolean another = isAnother();
            // Read after the look: what was written to the old file before it was rotated is not lost.
            int read = channel.read(ByteBuffer.wrap(bytes, offset, length), position);
            if (read > 0) {
                position += read;
                last = bytes[offset + read - 1];
                return read;
            }
            boolean emptied = channel.size() < position;
            if (another) {
                channel.close();
                open();
            }
            if (another || emptied) {
                position = 0;
                if (last != '\n') {
                    last = '\n';
                    bytes[offset] = '\n';
                    return 1;
                }
            } else {
                pause();
            }
        }
        channel.close();
        return -1;
    }

    /** Whether another file has the name now; false while none has it. */
    private boolean isAnother() throws IOException {
        try {
            return !Objects.equals(attributes().fileKey(), identity);
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private void pause() {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            closed = true;
        }
    }

    /** Ends the stream: a read that waits returns, within a pause. */
    @Override
    public void close() {
        closed = true;
    }
}
