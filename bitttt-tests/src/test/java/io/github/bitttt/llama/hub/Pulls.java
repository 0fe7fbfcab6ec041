package io.github.bitttt.llama.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.github.bitttt.llama.hub.FakeHub.Seen;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A hub on loopback with a small model, a cache, and pulls from the one into the other whose waits take no time. */
final class Pulls implements AutoCloseable {
    static final HubName NAME = HubName.parse(FakeHub.ID).orElseThrow();
    static final byte[] WEIGHTS = new byte[3_000_000];
    static final String SECRET = "hf_aSecretOfTheUser";

    static {
        new Random(5).nextBytes(WEIGHTS);
    }

    final Path cache;
    final FakeHub hub = new FakeHub().with("config.json", "{}").with("tokenizer.json", "{\"a\": 1}")
            .with("README.md", "about it").with("LICENSE", "").with("training.log", "long")
            .with("model.safetensors", WEIGHTS);
    final List<String> told = new ArrayList<>();

    Pulls(Path cache) {
        this.cache = cache;
    }

    @Override
    public void close() {
        hub.close();
    }

    /** Waits that take no time and are written down. */
    private class Noted implements Pauses {
        @Override
        public void pause(String why, Duration wait) {
            told.add(why + " [" + wait.toSeconds() + " s]");
        }

        @Override
        public InstantSource clock() {
            return InstantSource.fixed(Instant.parse("2026-11-30T00:00:00Z"));
        }

        @Override
        public Duration longestSilence() {
            return Duration.ofMillis(300);
        }
    }

    Map<String, String> environment(String... more) {
        Map<String, String> environment = new LinkedHashMap<>(
                Map.of("HF_ENDPOINT", hub.endpoint() + "/", "HF_HUB_CACHE", cache.toString(), "HF_HOME",
                        cache.resolve("home").toString()));
        for (int i = 0; i < more.length; i += 2) {
            environment.put(more[i], more[i + 1]);
        }
        return environment;
    }

    Pull puller(String... more) throws IOException {
        return Pull.of(environment(more)).pausing(new Noted());
    }

    private final class Told implements Pull.Progress {
        private long expected;
        private long came;

        @Override
        public void expects(int files, long bytes) {
            expected += bytes;
        }

        @Override
        public void came(String file, long bytes) {
            came += bytes;
        }

        @Override
        public void says(String line) {
            told.add(line);
        }
    }

    Pull.Result pull(String... more) throws IOException {
        return pull(NAME, more);
    }

    Pull.Result pull(HubName name, String... more) throws IOException {
        Told progress = new Told();
        Pull.Result result = puller(more).pull(name, progress);
        assertThat(progress.came).as("bytes that were told").isEqualTo(progress.expected);
        return result;
    }

    void refuses(String... parts) {
        assertThatIOException().isThrownBy(this::pull)
                .satisfies(e -> assertThat(e.toString()).contains(parts));
    }

    Path home() {
        return cache.resolve("models--org--tiny");
    }

    Path snapshot() {
        return home().resolve("snapshots").resolve(FakeHub.COMMIT);
    }

    Path part() {
        return home().resolve("blobs").resolve(FakeHub.sha256(WEIGHTS) + ".incomplete");
    }

    void nothingWrongIsLeft() throws IOException {
        assertThat(part()).doesNotExist();
        assertThat(snapshot().resolve("model.safetensors")).doesNotExist();
        assertThat(home().resolve("refs/main")).doesNotExist();
    }

    List<String> ranges() {
        return hub.seen().stream().filter(seen -> seen.host().equals(hub.storageHost())).map(Seen::range).toList();
    }
}
