package io.github.bitttt.llama.hub;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Writes one model into a cache, in the layout that {@link HubCache} reads. For whoever holds its lock. */
final class HubStore implements AutoCloseable {
    private static final Duration LOOK_AGAIN = Duration.ofMillis(200);
    private static final Set<String> YES = Set.of("1", "true", "yes", "on");
    private static final String TAG = "CACHEDIR.TAG";

    private final Path home;
    private final Links links;
    private final FileChannel lockFile;
    private final FileLock lock;

    /** How a link is made. */
    interface Links {
        void make(Path link, Path target) throws IOException;

        /** Symbolic links, unless the environment forbids them. */
        static Links of(Map<String, String> environment) {
            return (link, target) -> {
                if (isYes(environment, "HF_HUB_DISABLE_SYMLINKS")) {
                    throw new UnsupportedOperationException(
                            "HF_HUB_DISABLE_SYMLINKS forbids links, so files are copied");
                }
                Files.createSymbolicLink(link, target);
            };
        }
    }

    private HubStore(Path home, Links links, FileChannel lockFile, FileLock lock) {
        this.home = home;
        this.links = links;
        this.lockFile = lockFile;
        this.lock = lock;
    }

    static boolean isYes(Map<String, String> environment, String name) {
        return YES.contains(environment.getOrDefault(name, "").toLowerCase(Locale.ROOT));
    }

    /** Takes the lock of a model, when nobody else pulls it. */
    static HubStore open(Path cache, HubName name, Links links, Pauses pauses) throws IOException {
        Path home = cache.resolve(name.folder());
        Path locks = Files.createDirectories(cache.resolve(".locks").resolve(name.folder()));
        Files.createDirectories(home.resolve("blobs"));
        if (!Files.exists(cache.resolve(TAG))) {
            // For programs of backup; see bford.info/cachedir.
            Files.writeString(cache.resolve(TAG),
                    "Signature: 8a477f597d28d172789f06886806bc55\n# A cache of models.\n");
        }
        FileChannel file = FileChannel.open(locks.resolve("bitttt.lock"), StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        try {
            String why = name + ": another pull of it is running; this one waits";
            while (true) {
                FileLock lock = tried(file);
                if (lock != null) {
                    return new HubStore(home, links, file, lock);
                }
                pauses.pause(why, LOOK_AGAIN);
                why = "";
            }
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private static FileLock tried(FileChannel file) throws IOException {
        try {
            return file.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // another thread of this process has it
        }
    }

    Path snapshot(String commit) {
        return home.resolve("snapshots").resolve(commit);
    }

    Path blob(HubBlob blob) {
        return home.resolve("blobs").resolve(blob.hash());
    }

    /** Whether a file of a snapshot is there already: a link to its blob, or a file of that size where there are no links. */
    boolean has(String commit, HubBlob blob) throws IOException {
        Path file = snapshot(commit).resolve(blob.file());
        return Files.isRegularFile(file) && Files.size(file) == blob.bytes()
                && (!Files.isSymbolicLink(file)
                        || Files.readSymbolicLink(file).getFileName().toString().equals(blob.hash()));
    }

    /** Whether nothing of a file is to come: it is in the snapshot, or its blob is there for another one. */
    boolean isThere(String commit, HubBlob blob) throws IOException {
        return has(commit, blob) || Files.isRegularFile(blob(blob)) && Files.size(blob(blob)) == blob.bytes();
    }

    /** Bytes that are still to come of a file. */
    long missing(String commit, HubBlob blob) throws IOException {
        Path part = blob(blob).resolveSibling(blob.hash() + HubBlob.INCOMPLETE);
        return isThere(commit, blob)
                ? 0
                : blob.bytes() - (Files.exists(part) ? Math.min(blob.bytes(), Files.size(part)) : 0);
    }

    /** Complains where what is to come does not fit. */
    void checkRoom(long bytes) throws IOException {
        long room = Files.getFileStore(home).getUsableSpace();
        if (room > 0 && room < bytes) { // some file systems do not know their room and say 0
            throw new FileSystemException(home.toString(), null, "has room for " + room + " bytes, " + bytes
                    + " are still to come; make room, or name another disk by HF_HUB_CACHE");
        }
    }

    /** Shows a blob in a snapshot: by a link, and where none can be made by the file itself, as the hub's tools do.
     *
     * @param fresh whether the blob was fetched just now, so that no other snapshot needs it */
    void show(String commit, HubBlob blob, boolean fresh) throws IOException {
        Path file = snapshot(commit).resolve(blob.file());
        Files.createDirectories(file.getParent());
        Path target = blob(blob);
        Files.deleteIfExists(file);
        try {
            links.make(file, file.getParent().relativize(target));
        } catch (UnsupportedOperationException | FileSystemException e) {
            if (fresh) {
                Files.move(target, file, StandardCopyOption.REPLACE_EXISTING);
            } else {
                Files.copy(target, file, StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    /** Says which commit a branch or tag has. */
    void refer(String revision, String commit) throws IOException {
        if (revision.equals(commit)) {
            return;
        }
        Path ref = home.resolve("refs").resolve(revision);
        Files.createDirectories(ref.getParent());
        Path beside = ref.resolveSibling("." + ref.getFileName() + ".new");
        Files.writeString(beside, commit);
        Files.move(beside, ref, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    @Override
    public void close() {
        try (lockFile) {
            lock.release();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
