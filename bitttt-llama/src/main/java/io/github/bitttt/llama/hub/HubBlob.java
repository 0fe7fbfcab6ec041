package io.github.bitttt.llama.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The contents of one file, named by their hash: SHA-256 of large files, git's hash of small ones.
 *
 * @param file  its name in the model
 * @param hash  64 or 40 hexadecimal digits
 * @param bytes its size
 */
record HubBlob(String file, String hash, long bytes) {
    /** Behind the name of a blob of which not all has come. */
    static final String INCOMPLETE = ".incomplete";
    private static final Pattern HASH = Pattern.compile("[0-9a-f]{64}|[0-9a-f]{40}");
    private static final Pattern RANGE = Pattern.compile("bytes (\\d{1,18})-\\d{1,18}/(\\d{1,18})");
    private static final int SHA_256 = 64;
    private static final int PIECE = 1 << 16;
    /** What must come in a try for it not to be counted: a connection that breaks off again and again still gets to the end. */
    private static final long PROGRESS = 1 << 20;

    /** The blob of a file, as a hub describes it.
     *
     * @throws IOException if it does not say what is needed to check the contents */
    static HubBlob of(String file, String commit, HubClient.Head head) throws IOException {
        String hash = head.etag().orElse("");
        if (!HASH.matcher(hash).matches() || head.bytes().isEmpty()) {
            throw new IOException(file + ": the hub must give its size and a hash of 40 or 64 hexadecimal digits, got "
                    + (head.bytes().isPresent() ? head.bytes().getAsLong() + " bytes" : "no size") + " and "
                    + (hash.isEmpty() ? "no hash" : HubJson.shown(hash)) + "; what cannot be checked is not fetched");
        }
        if (!head.commit().orElse(commit).equals(commit)) {
            throw new IOException(file + ": the hub must give it of commit " + commit + ", got "
                    + HubJson.shown(head.commit().get()));
        }
        return new HubBlob(file, hash, head.bytes().getAsLong());
    }

    /** Fetches the contents to a place where nobody sees a part of them.
     *
     * @param place in a folder that is there
     * @throws IOException if they cannot be had, or are not what the hash says; then no part of wrong contents is left */
    void fetch(HubClient client, String commit, Path place, Pauses pauses, Pull.Progress progress) throws IOException {
        Path part = place.resolveSibling(place.getFileName() + INCOMPLETE);
        boolean resumed = size(part) > 0;
        while (true) {
            whole(client, commit, part, pauses, progress);
            String found = hashOf(part);
            if (found.equals(hash)) {
                Files.move(part, place, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
                return;
            }
            Files.delete(part);
            progress.came(file, -bytes);
            if (!resumed) {
                throw new IOException(
                        file + ": its " + (hash.length() == SHA_256 ? "SHA-256" : "git hash") + " must be " + hash
                                + ", got " + found + "; it was refused and removed");
            }
            progress.says(file + ": what was there of it is of something else; it is fetched anew");
            resumed = false;
        }
    }

    private static long size(Path part) throws IOException {
        return Files.exists(part) ? Files.size(part) : 0;
    }

    private void whole(HubClient client, String commit, Path part, Pauses pauses, Pull.Progress progress)
            throws IOException {
        if (size(part) > bytes) {
            Files.delete(part);
        }
        progress.came(file, size(part));
        int failures = 0;
        while (size(part) < bytes || !Files.exists(part)) {
            long had = size(part);
            String broken = append(client, commit, part, pauses.longestSilence(), progress);
            if (broken.isEmpty()) {
                continue;
            }
            failures = size(part) - had >= PROGRESS ? 0 : failures + 1;
            if (failures == HubClient.TRIES) {
                throw new IOException(file + ": " + broken + ", " + failures + " times; " + size(part) + " of " + bytes
                        + " bytes are kept, and the same command goes on from there");
            }
            pauses.pause(file + ": " + broken, pauses.after(Math.max(1, failures)));
        }
    }

    /** One try. Gives what broke it off, or nothing. */
    private String append(HubClient client, String commit, Path part, Duration silence, Pull.Progress progress)
            throws IOException {
        long had = size(part);
        if (bytes == 0) {
            Files.createFile(part);
            return "";
        }
        HttpResponse<InputStream> response = client.contents(commit, file, had);
        try (InputStream body = new WatchedStream(response.body(), silence);
                FileChannel channel = FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            boolean goesOn = response.statusCode() == HubClient.PARTIAL && follows(response, had);
            if (!goesOn) {
                channel.truncate(0);
                progress.came(file, -had);
            }
            if (response.statusCode() == HubClient.NO_SUCH_RANGE
                    || response.statusCode() == HubClient.PARTIAL && !goesOn) {
                return "the hub did not go on at byte " + had;
            }
            channel.position(goesOn ? had : 0);
            return copy(body, channel, progress);
        }
    }

    private boolean follows(HttpResponse<?> response, long had) {
        Matcher range = RANGE.matcher(response.headers().firstValue("Content-Range").orElse(""));
        return range.matches() && Long.parseLong(range.group(1)) == had && Long.parseLong(range.group(2)) == bytes;
    }

    private String copy(InputStream body, FileChannel channel, Pull.Progress progress) throws IOException {
        byte[] piece = new byte[PIECE];
        while (true) {
            int read;
            try {
                read = body.read(piece);
            } catch (IOException e) {
                return "the connection broke off at byte " + channel.position();
            }
            if (read < 0) {
                return channel.position() == bytes ? "" : "the contents ended at byte " + channel.position();
            }
            if (channel.position() + read > bytes) {
                channel.truncate(0);
                throw new IOException(
                        file + ": the hub says that it has " + bytes + " bytes, and sends more; it was refused");
            }
            write(channel, ByteBuffer.wrap(piece, 0, read));
            progress.came(file, read);
        }
    }

    private void write(FileChannel channel, ByteBuffer piece) throws IOException {
        try {
            while (piece.hasRemaining()) {
                channel.write(piece);
            }
        } catch (IOException e) {
            throw new FileSystemException(file, null,
                    "cannot be written: " + e.getMessage() + "; " + channel.position() + " of "
                            + bytes + " bytes are kept, make room and the same command goes on from there");
        }
    }

    private String hashOf(Path part) throws IOException {
        MessageDigest digest = digest(hash.length() == SHA_256 ? "SHA-256" : "SHA-1");
        if (hash.length() != SHA_256) {
            digest.update(("blob " + bytes + "\0").getBytes(StandardCharsets.US_ASCII));
        }
        byte[] piece = new byte[PIECE];
        try (InputStream in = Files.newInputStream(part)) {
            for (int read = in.read(piece); read >= 0; read = in.read(piece)) {
                digest.update(piece, 0, read);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static MessageDigest digest(String algorithm) {
        try {
            return MessageDigest.getInstance(algorithm);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no " + algorithm, e);
        }
    }
}
