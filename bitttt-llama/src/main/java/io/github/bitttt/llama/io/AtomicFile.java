package io.github.bitttt.llama.io;

import io.github.bitttt.llama.text.FileFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes a file so that it is whole or absent: beside its place, forced to disk, then renamed over what was there.
 *
 * <p>A symbolic link stays one, and what it leads to is written. What was there keeps its mode; a folder, a pipe or a device is
 * refused, and so is a file that its user may not write.
 *
 * <p>Any number of threads and processes may write the same file: the last one's is there in the end, whole. A writer that is
 * killed leaves {@code .name.process-number.new} behind, which the next writer of that file removes; a long name is shortened there.
 */
public final class AtomicFile {
    private static final AtomicLong WRITERS = new AtomicLong();

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
     * @param file     its place; of a symbolic link, the place that it leads to
     * @param contents what to write
     * @throws IOException if that fails, or what is there is no ordinary file; what was there before is there still */
    public static void write(Path file, Contents contents) throws IOException {
        Target target = Target.of(file);
        Path beside = beside(target.place());
        try {
            try (FileChannel channel = target.create(beside)) {
                contents.writeTo(channel);
                target.giveModeTo(beside);
                channel.force(true);
            }
            Files.move(beside, target.place(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (FileSystemException e) {
            throw named(file, beside, e);
        } finally {
            delete(beside);
        }
        forceFolder(target.place().getParent());
    }

    /** A failure of the hidden file beside it as one of the file that its user knows. */
    private static IOException named(Path file, Path beside, FileSystemException e) {
        if (!beside.toString().equals(e.getFile())) {
            return e;
        }
        String reason = "cannot be written in " + beside.getParent() + ": " + FileFailure.reason(e);
        FileSystemException failure = switch (e) {
            case NoSuchFileException _ -> new NoSuchFileException(file.toString(), null, reason);
            case AccessDeniedException _ -> new AccessDeniedException(file.toString(), null, reason);
            default -> new FileSystemException(file.toString(), null, reason);
        };
        failure.initCause(e);
        return failure;
    }

    /** What can be known of a file before the work that it is to hold: its folder is there, and nothing there but an ordinary file.
     *
     * @param file that {@link #write} will be asked for
     * @throws IOException if it would refuse */
    public static void check(Path file) throws IOException {
        Target.of(file);
    }

    /** What can be known of a new folder before the work that it is to hold: it is not there, and it can be made.
     *
     * @param folder that will be made, with the folders above it
     * @throws IOException if something of this name is there, or what stands above it is no folder that may be written */
    public static void checkNewFolder(Path folder) throws IOException {
        if (Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) {
            throw new IOException(folder + ": exists already; choose another folder or remove it first");
        }
        Path above = folder.toAbsolutePath().getParent();
        while (above != null && !Files.exists(above)) {
            above = above.getParent();
        }
        Target.checkFolder(folder, above);
    }

    /** Writes or replaces a text file.
     *
     * @param file its place
     * @param text what to write, as UTF-8
     * @throws IOException if that fails; what was there before is there still */
    public static void write(Path file, String text) throws IOException {
        write(file, channel -> writeFully(channel, StandardCharsets.UTF_8.encode(text)));
    }

    /** Writes or replaces a file of bytes.
     *
     * @param file  its place
     * @param bytes what to write
     * @throws IOException if that fails; what was there before is there still */
    public static void write(Path file, byte[] bytes) throws IOException {
        write(file, channel -> writeFully(channel, ByteBuffer.wrap(bytes)));
    }

    static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** A name beside a file or folder that no other writer has; what dead writers of the same one left there is removed. */
    static Path beside(Path file) throws IOException {
        Path folder = file.toAbsolutePath().getParent();
        String name = "." + Target.shortName(file) + ".";
        Pattern left = Pattern.compile(Pattern.quote(name) + "(\\d{1,18})-\\d+\\.new");
        try (DirectoryStream<Path> others = Files.newDirectoryStream(folder,
                other -> isDead(left.matcher(other.getFileName().toString())))) {
            for (Path other : others) {
                delete(other);
            }
        } catch (AccessDeniedException e) {
            // A folder that may be written and not be listed: what is left there stays.
        }
        return folder.resolve(name + ProcessHandle.current().pid() + "-" + WRITERS.incrementAndGet() + ".new");
    }

    private static boolean isDead(Matcher left) {
        return left.matches() && ProcessHandle.of(Long.parseLong(left.group(1))).isEmpty();
    }

    /** Removes a file, or a folder of files, if it is there. */
    static void delete(Path path) throws IOException {
        if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
                for (Path file : files) {
                    Files.deleteIfExists(file);
                }
            }
        }
        Files.deleteIfExists(path);
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
