package io.github.bitttt.llama.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * Writes a file so that it is whole or absent: beside its place, forced to disk, then renamed over what was there.
 */
public final class AtomicFile {
    private AtomicFile() {
    }

    /** Writes contents to an open channel. */
    @FunctionalInterface
    public interface Contents {
        /** Writes everything.
         *
         * @param channel at the start of an empty file
         * @throws IOException if writing fails: then nothing has changed */
        void writeTo(FileChannel channel) throws IOException;
    }

    /** Writes or replaces a file.
     *
     * @param file     its place
     * @param contents what to write
     * @throws IOException if that fails; what was there before is there still */
    public static void write(Path file, Contents contents) throws IOException {
        Path beside = file.resolveSibling(file.getFileName() + ".new");
        try {
            try (FileChannel channel = FileChannel.open(beside, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                    StandardOpenOption.TRUNCATE_EXISTING)) {
                contents.writeTo(channel);
                channel.force(true);
            }
            Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(beside);
        }
        forceFolder(file.toAbsolutePath().getParent());
    }

    /** Writes or replaces a text file.
     *
     * @param file its place
     * @param text what to write, as UTF-8
     * @throws IOException if that fails; what was there before is there still */
    public static void write(Path file, String text) throws IOException {
        write(file, channel -> {
            ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        });
    }

    /** Makes a rename last through a power failure, where folders can be forced (not on Windows). */
    static void forceFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            // The rename itself is done; only its moment of reaching the disk is left to the system.
            return;
        }
    }
}
