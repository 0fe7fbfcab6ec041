package io.github.bitttt.llama.hub;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Fetches a model from Hugging Face's hub into its local cache, where {@code Model.load("ORG/NAME")} and Python's tools find it. The only
 * thing in bitttt that asks a network, and only when it is called.
 *
 * <p>A pull that was broken off goes on where it was. Each file is checked by size and hash before anybody sees it; a wrong one is removed.
 * The token of {@code HF_TOKEN} goes to the hub's own host only. Names that the hub sends cannot lead out of the model's folder.
 *
 * <pre>{@code
 * Pull.of(System.getenv()).pull(HubName.parse("microsoft/bitnet-b1.58-2B-4T").orElseThrow(), Pull.SILENT);
 * }</pre>
 */
public final class Pull {
    /** Tells nobody. */
    public static final Progress SILENT = new Progress() {
    };

    private final HubAccess access;
    private final HubCache cache;
    private final HubStore.Links links;
    private final Optional<Pauses> pauses;
    private final boolean offline;

    /** Who is told how a pull goes on. Each method does nothing unless it is overridden. */
    public interface Progress {
        /** More is to be fetched than was known so far.
         *
         * @param files so many
         * @param bytes of them, with what is there already */
        default void expects(int files, long bytes) {
        }

        /** Bytes of a file came, or were there from an earlier pull.
         *
         * @param file  its name
         * @param bytes so many; negative where what had come is worth nothing */
        default void came(String file, long bytes) {
        }

        /** Something that a person may want to read: a wait, another try.
         *
         * @param line of text */
        default void says(String line) {
        }

        /** The small files are there, the weights are not yet.
         *
         * @param folder with config and tokenizer
         * @throws IOException to end the pull: what is to come would be of no use */
        default void beforeWeights(Path folder) throws IOException {
        }
    }

    /**
     * A file of a model.
     *
     * @param name    its name
     * @param bytes   its size
     * @param fetched whether it came just now
     */
    public record Fetched(String name, long bytes, boolean fetched) {}

    /**
     * What was pulled.
     *
     * @param commit of the model
     * @param path   the folder or file to load
     * @param files  of it, also those that were there
     */
    public record Result(String commit, Path path, List<Fetched> files) {}

    private Pull(HubAccess access, HubCache cache, HubStore.Links links, Optional<Pauses> pauses, boolean offline) {
        this.access = access;
        this.cache = cache;
        this.links = links;
        this.pauses = pauses;
        this.offline = offline;
    }

    /** A pull as the environment says: from {@code HF_ENDPOINT}, with {@code HF_TOKEN} or the token file of the hub's tools, into the cache
     * of {@link HubCache#of}.
     *
     * @param environment as {@code System.getenv()}
     * @return ready to pull
     * @throws IOException if the environment says something wrong */
    public static Pull of(Map<String, String> environment) throws IOException {
        return new Pull(HubAccess.of(environment), HubCache.of(environment), HubStore.Links.of(environment),
                Optional.empty(), HubStore.isYes(environment, "HF_HUB_OFFLINE"));
    }

    Pull pausing(Pauses other) {
        return new Pull(access, cache, links, Optional.of(other), offline);
    }

    Pull linking(HubStore.Links other) {
        return new Pull(access, cache, other, pauses, offline);
    }

    /** Fetches what of a model is not there: config, tokenizer and safetensors; or a GGUF file, if the name has one or there is nothing else.
     *
     * @param name     of the model
     * @param progress who is told
     * @return where it is
     * @throws IOException if the hub does not give it, or gives something wrong; what has come is kept for another pull */
    public Result pull(HubName name, Progress progress) throws IOException {
        if (offline) {
            throw new IOException(name + ": HF_HUB_OFFLINE is set, so nothing is fetched");
        }
        Pauses waits = pauses.orElseGet(() -> Pauses.of(progress));
        try (HubClient client = new HubClient(access, name, waits)) {
            Listing listing = listing(client, name);
            try (HubStore store = HubStore.open(cache.folder(), name, links, waits)) {
                return new Work(name, listing, client, store, waits, progress).pull();
            }
        }
    }

    private record Listing(String commit, List<String> files) {}

    /** The files of a model; a name that leads out of its folder ends the pull. */
    private Listing listing(HubClient client, HubName name) throws IOException {
        JsonNode list = client.list();
        String commit = list.path("sha").asText();
        if (!HubName.isCommit(commit)) {
            throw new IOException(
                    name + ": the hub must give the hash of a commit, got " + HubJson.shown(list.path("sha")));
        }
        List<String> files = new ArrayList<>();
        for (JsonNode sibling : list.path("siblings")) {
            JsonNode file = sibling.path("rfilename");
            if (!file.isTextual() || HubName.leadsOut(file.asText())) {
                throw new IOException(
                        name + ": the hub names a file that leads out of its folder, " + HubJson.shown(file)
                                + "; nothing of this model is fetched");
            }
            if (HubName.isSafe(file.asText())) { // others, with a colon, are none that a model needs
                files.add(file.asText());
            }
        }
        return new Listing(commit, files);
    }

    /** One pull, by whoever holds the lock. */
    private record Work(HubName name, Listing listing, HubClient client, HubStore store, Pauses pauses,
            Progress progress,
            List<Fetched> done) {
        Work(HubName name, Listing listing, HubClient client, HubStore store, Pauses pauses, Progress progress) {
            this(name, listing, client, store, pauses, progress, new ArrayList<>());
        }

        Result pull() throws IOException {
            List<String> files = listing.files();
            List<String> whole = files.stream().filter(HubFiles::isGguf).toList();
            boolean folder = name.file().isEmpty() && files.stream().anyMatch(HubFiles::isWeights);
            if (!folder && whole.isEmpty()) {
                throw new NoSuchFileException(name.toString(), null, "the hub has nothing of it that is read, neither "
                        + HubFiles.WEIGHTS + " nor GGUF; it has " + HubJson.shown(String.join(", ", files)));
            }
            Path path = store.snapshot(listing.commit());
            if (folder) {
                folder();
            } else {
                String file = HubFiles.one(name, whole, "the hub has");
                fetch(files.stream().filter(other -> other.equals(file) || HubFiles.isTerms(other)).toList());
                path = path.resolve(file);
            }
            store.refer(name.revision(), listing.commit());
            return new Result(listing.commit(), path, List.copyOf(done));
        }

        private void folder() throws IOException {
            List<String> files = listing.files();
            require(List.of(HubFiles.CONFIG));
            fetch(files.stream().filter(file -> HubFiles.isSmall(file) || HubFiles.isTerms(file)).toList());
            Path snapshot = store.snapshot(listing.commit());
            progress.beforeWeights(snapshot);
            List<String> weights = HubFiles.needed(snapshot, files);
            weights.remove(HubFiles.CONFIG);
            require(weights);
            fetch(weights);
        }

        private void require(List<String> needed) throws IOException {
            List<String> missing = needed.stream().filter(file -> !listing.files().contains(file)).toList();
            if (!missing.isEmpty()) {
                throw new NoSuchFileException(name.toString(), null,
                        "the hub's model is not complete, it lacks " + String.join(", ", missing));
            }
        }

        private void fetch(List<String> files) throws IOException {
            String commit = listing.commit();
            List<HubBlob> blobs = new ArrayList<>();
            long bytes = 0;
            long missing = 0;
            for (String file : files) {
                HubBlob blob = HubBlob.of(file, commit, client.head(commit, file));
                blobs.add(blob);
                bytes = Math.addExact(bytes, blob.bytes());
                missing = Math.addExact(missing, store.missing(commit, blob));
            }
            store.checkRoom(missing);
            progress.expects(files.size(), bytes);
            for (HubBlob blob : blobs) {
                boolean there = store.isThere(commit, blob);
                if (there) {
                    progress.came(blob.file(), blob.bytes());
                } else {
                    blob.fetch(client, commit, store.blob(blob), pauses, progress);
                }
                if (!store.has(commit, blob)) {
                    store.show(commit, blob, !there);
                }
                done.add(new Fetched(blob.file(), blob.bytes(), !there));
            }
        }
    }
}
