package io.github.bitttt.llama.io;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** Where a file is to be written: behind all links, with the owner and mode of the ordinary file that is there now, if one is. */
record Target(Path place, Optional<PosixFileAttributes> before) {
    private static final int MAX_LINKS = 40; // as Linux follows
    /** With what is added to it, far below the 143 bytes that the strictest file system in use takes. */
    private static final int MAX_NAME_BYTES = 80;

    /** Looks at what is there.
     *
     * @throws IOException if it is a folder, a pipe or a device, may not be written, or the folder of it is not there */
    static Target of(Path file) throws IOException {
        if (Files.exists(file)) {
            if (Files.isDirectory(file)) {
                throw new IOException(file + ": is a folder; name a file");
            }
            if (!Files.isRegularFile(file)) {
                throw new IOException(file + ": is a pipe or a device and would be replaced; name a file");
            }
            if (!Files.isWritable(file)) {
                throw new AccessDeniedException(file.toString());
            }
        }
        Path place = behindLinks(file);
        checkFolder(file, place.getParent());
        PosixFileAttributeView view = Files.getFileAttributeView(place, PosixFileAttributeView.class);
        return new Target(place,
                view == null || !Files.exists(place) ? Optional.empty() : Optional.of(view.readAttributes()));
    }

    /** Also of a link that leads to a file which is not there yet. */
    private static Path behindLinks(Path file) throws IOException {
        Path place = file.toAbsolutePath();
        for (int links = 0; Files.isSymbolicLink(place); links++) {
            if (links == MAX_LINKS) {
                throw new IOException(file + ": its symbolic links lead nowhere, in more than " + MAX_LINKS + " steps");
            }
            place = place.resolveSibling(Files.readSymbolicLink(place));
        }
        return place;
    }

    static void checkFolder(Path file, Path folder) throws IOException {
        if (folder == null || !Files.exists(folder)) {
            throw new NoSuchFileException(file.toString(), null,
                    "the folder " + folder + " is not there; make it first");
        }
        if (!Files.isDirectory(folder)) {
            throw new IOException(file + ": " + folder + " is no folder");
        }
        if (!Files.isWritable(folder)) {
            throw new AccessDeniedException(file.toString(), null,
                    "the folder " + folder + " may not be written; choose another one");
        }
    }

    /** The name of a file, or of a long one its beginning and a number made of all of it. */
    static String shortName(Path file) {
        String name = file.getFileName().toString();
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        if (bytes.length <= MAX_NAME_BYTES) {
            return name;
        }
        int end = name.offsetByCodePoints(0, Math.min(10, name.codePointCount(0, name.length())));
        return name.substring(0, end) + "-" + UUID.nameUUIDFromBytes(bytes);
    }

    /** A new file, which nobody may read who may not read what is there. */
    FileChannel create(Path beside) throws IOException {
        FileAttribute<?>[] mode = before.map(PosixFileAttributes::permissions)
                .map(permissions -> new FileAttribute<?>[]{PosixFilePermissions.asFileAttribute(permissions)})
                .orElse(new FileAttribute<?>[0]);
        return FileChannel.open(beside, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), mode);
    }

    /** Owner and group of what was there where the system lets us, and its permissions. */
    void giveModeTo(Path beside) throws IOException {
        if (before.isEmpty()) {
            return;
        }
        PosixFileAttributes old = before.get();
        PosixFileAttributeView view = Files.getFileAttributeView(beside, PosixFileAttributeView.class,
                LinkOption.NOFOLLOW_LINKS);
        PosixFileAttributes now = view.readAttributes();
        Set<PosixFilePermission> permissions = old.permissions();
        try {
            if (!now.group().equals(old.group())) {
                view.setGroup(old.group());
            }
            if (!now.owner().equals(old.owner())) {
                view.setOwner(old.owner());
            }
        } catch (IOException e) {
            // Only root may give a file away; then it is the writer's, with the permissions that it had.
        }
        view.setPermissions(permissions);
    }
}
