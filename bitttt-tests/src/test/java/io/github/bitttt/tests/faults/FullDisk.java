package io.github.bitttt.tests.faults;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;

/** A process on a disk of its own that is filled up: every {@link Writer} must fail and lose nothing, and then succeed again. */
final class FullDisk {
    private FullDisk() {
    }

    /** Writes, fills, writes again, makes room, writes again.
     *
     * @param arguments an empty folder on a small disk
     * @throws IOException if something fails that should not */
    public static void main(String[] arguments) throws IOException {
        Path disk = Path.of(arguments[0]);
        for (Writer writer : Writer.values()) {
            writer.write(Files.createDirectories(disk.resolve(writer.name())), 0);
        }
        Path filler = disk.resolve("filler");
        // Room is left in steps, so that writers fail at their first byte, and later in the midst of their numbers.
        for (int room : new int[]{0, 4096, 16384, 32768}) {
            fill(filler, room);
            for (Writer writer : Writer.values()) {
                Path folder = disk.resolve(writer.name());
                try {
                    writer.write(folder, 1);
                    // A small file may find its room.
                } catch (IOException e) {
                    check(e.getMessage() != null, "no message");
                    check(writer.read(folder) == 0, writer + " lost its state");
                    System.out.println("full " + writer + " " + room + ": " + e.getMessage());
                }
                try (Stream<Path> files = Files.walk(folder)) {
                    List<Path> left = files.filter(file -> file.toString().endsWith(".new")).toList();
                    check(left.isEmpty(), "left behind: " + left);
                }
            }
        }
        Files.delete(filler);
        for (Writer writer : Writer.values()) {
            writer.write(disk.resolve(writer.name()), 2);
            check(writer.read(disk.resolve(writer.name())) == 2, writer + " did not write");
        }
        System.out.println("whole");
    }

    private static void fill(Path filler, int room) throws IOException {
        try (SeekableByteChannel channel = Files.newByteChannel(filler, StandardOpenOption.CREATE,
                StandardOpenOption.WRITE,
                StandardOpenOption.APPEND)) {
            while (true) {
                channel.write(ByteBuffer.allocate(1024));
            }
        } catch (IOException full) {
            try (SeekableByteChannel channel = Files.newByteChannel(filler, StandardOpenOption.WRITE)) {
                channel.truncate(Math.max(0, channel.size() - room));
            }
        }
    }

    private static void check(boolean holds, String message) {
        if (!holds) {
            throw new AssertionError(message);
        }
    }
}
