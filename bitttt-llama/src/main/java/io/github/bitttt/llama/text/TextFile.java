package io.github.bitttt.llama.text;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;

/**
 * The one reader of texts: UTF-8 and nothing else, where a U+FEFF at the very beginning is no part of the text.
 *
 * <p>What it refuses it names, with line and byte. So one file is the same text in every program.
 */
public final class TextFile {
    /** Most bytes of a line of {@link Lines}: above every document, and far below what a JVM holds. */
    public static final int MAX_LINE_BYTES = 16 << 20;

    private static final byte[] MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF}; // U+FEFF
    private static final int SCRATCH = 1 << 13;

    private TextFile() {
    }

    /** Reads a whole file, or what comes from a pipe.
     *
     * @param file UTF-8
     * @return its text
     * @throws IOException if it is a folder, absent, not UTF-8, or longer than fits into the memory of this Java */
    public static String read(Path file) throws IOException {
        checkReadable(file);
        long bytes = Files.size(file);
        if (bytes > Runtime.getRuntime().maxMemory() || bytes > Integer.MAX_VALUE - 64) {
            throw doesNotFit(file, bytes);
        }
        try {
            return decode(Files.readAllBytes(file), file.toString());
        } catch (OutOfMemoryError e) {
            throw doesNotFit(file, bytes);
        }
    }

    /** That a file is there and is no folder, known before work that will read it.
     *
     * @param file to read later
     * @throws IOException if it cannot be read; the message names it */
    public static void checkReadable(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new IOException(file + ": is a folder; name a file");
        }
        if (!Files.exists(file)) {
            throw new NoSuchFileException(file.toString());
        }
    }

    private static IOException doesNotFit(Path file, long bytes) {
        return new IOException(file + ": " + (bytes > 0 ? "its " + bytes + " bytes" : "what comes from it")
                + " as text do not fit into the " + Runtime.getRuntime().maxMemory()
                + " bytes of memory that this Java may use, or are more than 2^31 - 64; give it more by -Xmx, or take a part");
    }

    /** The text of bytes.
     *
     * @param bytes UTF-8
     * @param name  of their origin, for messages
     * @return the text
     * @throws IOException if they are not UTF-8; the message has line and byte */
    public static String decode(byte[] bytes, String name) throws IOException {
        return decode(bytes, name, 1, 0);
    }

    private static String decode(byte[] bytes, String name, long line, long before) throws IOException {
        check(bytes, name, line, before);
        int from = before == 0 && bytes.length >= MARK.length
                && Arrays.equals(bytes, 0, MARK.length, MARK, 0, MARK.length) ? MARK.length : 0;
        return new String(bytes, from, bytes.length - from, StandardCharsets.UTF_8);
    }

    private static void check(byte[] bytes, String name, long line, long before) throws IOException {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer scratch = CharBuffer.allocate(SCRATCH);
        CoderResult result;
        do {
            result = decoder.decode(in, scratch.clear(), true);
        } while (result.isOverflow());
        if (result.isError()) {
            int at = in.position();
            for (int i = 0; i < at; i++) {
                line += bytes[i] == '\n' ? 1 : 0;
            }
            throw new IOException(name + ": must be UTF-8 text, got the byte 0x"
                    + Integer.toHexString(bytes[at] & 255).toUpperCase(Locale.ROOT) + " in line " + line + ", byte "
                    + (before + at + 1) + " of the file; save it as UTF-8 first" + (isUtf16(bytes, before)
                            ? ", it looks like UTF-16"
                            : ""));
        }
    }

    private static boolean isUtf16(byte[] bytes, long before) {
        return before == 0 && bytes.length >= 2 && (bytes[0] & 255) + (bytes[1] & 255) == 0xFE + 0xFF
                && (bytes[0] == (byte) 0xFE || bytes[0] == (byte) 0xFF);
    }

    /** Whether a file's name says that each of its lines is a JSON object.
     *
     * @param file any
     * @return true for .jsonl and .ndjson, in small letters or large */
    public static boolean isJsonLines(Path file) {
        String name = file.toString().toLowerCase(Locale.ROOT);
        return name.endsWith(".jsonl") || name.endsWith(".ndjson");
    }

    /** Line after line of a file or stream that may never end. For one thread. */
    public static final class Lines implements AutoCloseable {
        private final InputStream in;
        private final String name;
        private long line;
        private long before; // bytes of the lines before
        private boolean skipLineFeed;

        private Lines(InputStream in, String name) {
            this.in = in;
            this.name = name;
        }

        /** The lines of a file.
         *
         * @param file UTF-8
         * @return before the first
         * @throws IOException if it cannot be opened; the message names it */
        public static Lines of(Path file) throws IOException {
            checkReadable(file);
            return of(Files.newInputStream(file), file.toString());
        }

        /** The lines of a stream.
         *
         * @param in   UTF-8
         * @param name for messages
         * @return before the first */
        public static Lines of(InputStream in, String name) {
            return new Lines(new BufferedInputStream(in), name);
        }

        /** The next line, without its end.
         *
         * @return null at the end of the stream
         * @throws IOException if it is not UTF-8 or longer than {@value #MAX_LINE_BYTES} bytes; the message has its number */
        public String next() throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            line++;
            long start = before;
            int read;
            boolean ended = false;
            while (!ended && (read = in.read()) >= 0) {
                before++;
                if (read == '\n' && skipLineFeed) {
                    start++;
                } else if (read == '\n' || read == '\r') {
                    ended = true;
                } else {
                    bytes.write(read);
                }
                skipLineFeed = read == '\r';
                if (bytes.size() > MAX_LINE_BYTES) {
                    throw new IOException(name + ": a line must have at most " + MAX_LINE_BYTES + " bytes, line " + line
                            + " has more");
                }
            }
            String text = decode(bytes.toByteArray(), name, line, start);
            return ended || !text.isEmpty() ? text : null;
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
