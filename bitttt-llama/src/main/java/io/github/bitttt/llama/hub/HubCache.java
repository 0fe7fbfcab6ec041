package io.github.bitttt.llama.hub;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The local cache of models that the tools of Hugging Face's hub share. Looking into it writes nothing and needs no network.
 *
 * <pre>
 * models--ORG--NAME/refs/main               the commit that the branch had
 * models--ORG--NAME/snapshots/COMMIT/FILE   links to ../../blobs/HASH, or files where links cannot be made
 * models--ORG--NAME/blobs/HASH              contents, named by SHA-256, or by git's hash if they are small
 * </pre>
 *
 * <p>Source: huggingface_hub 1.33, {@code file_download.py} and {@code constants.py}.
 */
public final class HubCache {
    private static final int MAX_REF_BYTES = 1_000;
    private static final int MAX_FILES = 10_000;
    private static final Pattern VARIABLE = Pattern.compile("\\$(?:\\{([A-Za-z0-9_]+)\\}|([A-Za-z0-9_]+))");

    private final Optional<Path> folder;

    private HubCache(Optional<Path> folder) {
        this.folder = folder;
    }

    /** The cache that the environment names: {@code HF_HUB_CACHE}, else {@code hub} in {@code HF_HOME}, in
     * {@code XDG_CACHE_HOME/huggingface}, or in {@code ~/.cache/huggingface}.
     *
     * @param environment as {@code System.getenv()}
     * @return the cache, whose folder need not be there */
    public static HubCache of(Map<String, String> environment) {
        Optional<Path> named = variable(environment, "HF_HUB_CACHE")
                .or(() -> variable(environment, "HUGGINGFACE_HUB_CACHE"));
        return new HubCache(named.or(() -> home(environment).map(home -> home.resolve("hub"))));
    }

    /** A cache in a folder.
     *
     * @param folder which need not be there
     * @return the cache */
    public static HubCache in(Path folder) {
        return new HubCache(Optional.of(folder));
    }

    /** The folder in which the hub's tools keep what is theirs: the cache and the token. */
    static Optional<Path> home(Map<String, String> environment) {
        return variable(environment, "HF_HOME").or(() -> variable(environment, "XDG_CACHE_HOME")
                .or(() -> userHome(environment).map(home -> home.resolve(".cache")))
                .map(cache -> cache.resolve("huggingface")));
    }

    /** A path of the environment, with {@code ~} and variables as a shell writes them. */
    static Optional<Path> variable(Map<String, String> environment, String name) {
        String value = environment.getOrDefault(name, "");
        if (value.isEmpty()) {
            return Optional.empty();
        }
        if (value.equals("~") || value.startsWith("~/")) {
            value = userHome(environment).map(Path::toString).orElse("~") + value.substring(1);
        }
        return Optional.of(Path.of(VARIABLE.matcher(value).replaceAll(found -> Matcher.quoteReplacement(
                environment.getOrDefault(found.group(1) == null ? found.group(2) : found.group(1), found.group())))));
    }

    private static Optional<Path> userHome(Map<String, String> environment) {
        String home = environment.getOrDefault("HOME", "");
        if (home.isEmpty()) {
            home = System.getProperty("user.home", "");
        }
        // Java says "?" of a user without a home.
        return home.isEmpty() || home.equals("?") ? Optional.empty() : Optional.of(Path.of(home));
    }

    /** Where the cache is.
     *
     * @return its folder, which need not be there
     * @throws IOException if the environment names none, not even a home */
    public Path folder() throws IOException {
        return folder.orElseThrow(
                () -> new IOException("there is no home folder for the cache of models; set HF_HUB_CACHE"));
    }

    /** Finds a model.
     *
     * @param name of the hub
     * @return the folder of its snapshot, or the GGUF file in it
     * @throws NoSuchFileException if it is not there, or not all of it; the message says where it was looked for, and how to fetch it
     * @throws IOException         if something there says something wrong */
    public Path find(HubName name) throws IOException {
        if (folder.isEmpty()) {
            throw absent(name,
                    "there is neither a folder of that name nor a home folder with a cache of models (set HF_HUB_CACHE)",
                    "fetches it");
        }
        Path home = folder().resolve(name.folder());
        if (!Files.isDirectory(home)) {
            throw absent(name, "neither a model folder, file or name of the zoo nor a model in the cache; looked for "
                    + Path.of("").toAbsolutePath().resolve(name.id()) + " and " + home, "fetches it");
        }
        Path snapshot = home.resolve("snapshots").resolve(commit(home, name));
        if (!Files.isDirectory(snapshot)) {
            throw absent(name, snapshot + " is not there" + others(home), "fetches it");
        }
        return model(name, snapshot);
    }

    private static NoSuchFileException absent(HubName name, String what, String remedy) {
        return new NoSuchFileException(name.toString(), null, what + "; ./bitttt pull " + name + " " + remedy);
    }

    private static String commit(Path home, HubName name) throws IOException {
        if (HubName.isCommit(name.revision())) {
            return name.revision();
        }
        Path ref = home.resolve("refs").resolve(name.revision());
        if (!Files.isRegularFile(ref)) {
            throw absent(name, ref + " is not there" + others(home), "fetches it");
        }
        try (InputStream in = Files.newInputStream(ref)) {
            String commit = new String(in.readNBytes(MAX_REF_BYTES), StandardCharsets.UTF_8).strip();
            if (!HubName.isCommit(commit)) {
                throw new IOException(ref + ": must hold the hash of a commit, 40 hexadecimal digits, got "
                        + HubJson.shown(commit));
            }
            return commit;
        }
    }

    /** What else the cache has of a model. */
    private static String others(Path home) throws IOException {
        Path snapshots = home.resolve("snapshots");
        if (!Files.isDirectory(snapshots)) {
            return "";
        }
        try (Stream<Path> all = Files.list(snapshots)) {
            List<String> names = all.map(path -> path.getFileName().toString()).filter(HubName::isCommit).sorted()
                    .toList();
            return names.isEmpty() ? "" : "; name one of the commits that are by ORG/NAME@COMMIT: " + names;
        }
    }

    private static Path model(HubName name, Path snapshot) throws IOException {
        List<String> files = files(snapshot);
        List<String> whole = files.stream().filter(HubFiles::isGguf).toList();
        if (name.file().isPresent()) {
            String file = HubFiles.one(name, whole, "the cache has");
            return present(name, snapshot, List.of(file)).resolve(file);
        }
        if (whole.isEmpty() || files.contains(HubFiles.CONFIG) && files.stream().anyMatch(HubFiles::isWeights)) {
            return present(name, snapshot, HubFiles.needed(snapshot, files));
        }
        String file = HubFiles.one(name, whole, "the cache has");
        return present(name, snapshot, List.of(file)).resolve(file);
    }

    /** The files of a snapshot, also links that lead nowhere, written with {@code /}. */
    private static List<String> files(Path snapshot) throws IOException {
        try (Stream<Path> all = Files.walk(snapshot, 4)) {
            return all.limit(MAX_FILES).filter(path -> !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS))
                    .map(path -> snapshot.relativize(path).toString().replace('\\', '/')).sorted().toList();
        }
    }

    private static Path present(HubName name, Path snapshot, List<String> files) throws IOException {
        List<String> missing = files.stream().filter(file -> !Files.isRegularFile(snapshot.resolve(file))).toList();
        if (!missing.isEmpty()) {
            throw absent(name, "the snapshot " + snapshot + " is not complete, it lacks " + String.join(", ", missing),
                    "fetches what is missing");
        }
        return snapshot;
    }

    @Override
    public String toString() {
        return "HubCache[" + folder.map(Path::toString).orElse("no folder") + "]";
    }
}
