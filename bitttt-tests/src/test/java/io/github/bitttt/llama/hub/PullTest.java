package io.github.bitttt.llama.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.bitttt.llama.hub.FakeHub.Fault;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Pulls from a hub that behaves as the public one does, over connections that break. */
class PullTest {
    @TempDir
    private Path folder;
    private Pulls at;

    @BeforeEach
    void start() {
        at = new Pulls(folder);
    }

    @AfterEach
    void close() {
        at.close();
    }

    @Test
    void whatInferenceNeedsLiesInTheLayoutOfTheHubsTools() throws IOException {
        Pull.Result result = at.pull();
        assertThat(result.path()).isEqualTo(at.snapshot());
        assertThat(result.commit()).isEqualTo(FakeHub.COMMIT);
        assertThat(result.files()).extracting(Pull.Fetched::name).containsExactlyInAnyOrder("config.json",
                "tokenizer.json",
                "README.md", "LICENSE", "model.safetensors");
        assertThat(result.files()).allMatch(Pull.Fetched::fetched);
        assertThat(at.home().resolve("refs/main")).hasContent(FakeHub.COMMIT);
        assertThat(Files.readSymbolicLink(at.snapshot().resolve("model.safetensors")))
                .isEqualTo(Path.of("..", "..", "blobs", FakeHub.sha256(Pulls.WEIGHTS)));
        assertThat(Files.readSymbolicLink(at.snapshot().resolve("config.json")))
                .isEqualTo(Path.of("..", "..", "blobs", FakeHub.gitHash("{}".getBytes())));
        assertThat(at.snapshot().resolve("model.safetensors")).hasBinaryContent(Pulls.WEIGHTS);
        try (Stream<Path> blobs = Files.list(at.home().resolve("blobs"))) {
            assertThat(blobs).hasSize(5);
        }
        assertThat(at.cache.resolve("CACHEDIR.TAG")).content()
                .startsWith("Signature: 8a477f597d28d172789f06886806bc55");
        assertThat(HubCache.in(at.cache).find(Pulls.NAME)).isEqualTo(at.snapshot());
        assertThat(at.told).isEmpty();
    }

    @Test
    void whatIsThereIsNotFetchedAgain() throws IOException {
        at.pull();
        long fetches = at.hub.fetches();
        Pull.Result again = at.pull();
        assertThat(again.files()).noneMatch(Pull.Fetched::fetched).hasSize(5);
        assertThat(at.hub.fetches()).isEqualTo(fetches).isEqualTo(1);
        // A file that somebody removed from the snapshot is shown again, without the network's work.
        Files.delete(at.snapshot().resolve("model.safetensors"));
        at.pull();
        assertThat(at.snapshot().resolve("model.safetensors")).hasBinaryContent(Pulls.WEIGHTS);
        assertThat(at.hub.fetches()).isEqualTo(fetches);
    }

    @Test
    void aBrokenConnectionIsResumed() throws IOException {
        at.hub.firstOfStorage(at.hub.cut("model.safetensors", 100_000), at.hub.cut("model.safetensors", 1_500_000),
                FakeHub.none());
        at.pull();
        assertThat(at.ranges()).hasSize(3).first().isEqualTo("null");
        assertThat(at.ranges().get(1)).matches("bytes=\\d+-");
        assertThat(at.told).hasSize(2)
                .allMatch(line -> line.matches("model.safetensors: the connection broke off at byte \\d+ \\[1 s\\]"));
        assertThat(at.snapshot().resolve("model.safetensors")).hasBinaryContent(Pulls.WEIGHTS);
    }

    @Test
    void aConnectionThatBreaksOffForeverIsGivenUpAndWhatCameIsKept() throws IOException {
        Fault cut = at.hub.cut("model.safetensors", 200_000);
        at.hub.firstOfStorage(cut, cut, cut, cut, cut);
        at.refuses("model.safetensors: the connection broke off", "5 times", "of 3000000 bytes are kept");
        assertThat(Files.size(at.part())).isGreaterThan(0).isLessThanOrEqualTo(1_000_000);
        long had = Files.size(at.part());
        assertThat(at.home().resolve("refs/main")).doesNotExist();
        at.pull();
        assertThat(at.ranges().getLast()).isEqualTo("bytes=" + had + "-");
        assertThat(at.snapshot().resolve("model.safetensors")).hasBinaryContent(Pulls.WEIGHTS);
        assertThat(at.part()).doesNotExist();
    }

    @Test
    void progressKeepsATiringConnectionGoing() throws IOException {
        byte[] long_ = new byte[9 << 20];
        at.hub.with("model.safetensors", long_);
        Fault cut = at.hub.cut("model.safetensors", 5 << 18);
        at.hub.firstOfStorage(cut, cut, cut, cut, cut, cut, cut);
        at.pull();
        assertThat(at.ranges()).hasSize(8);
    }

    @Test
    void aServerWithoutRangesBeginsAnew() throws IOException {
        Files.createDirectories(at.part().getParent());
        Files.write(at.part(), Arrays.copyOf(Pulls.WEIGHTS, 1_000));
        at.hub.firstOfStorage(exchange -> {
            assertThat(exchange.getRequestHeaders().getFirst("Range")).isEqualTo("bytes=1000-");
            exchange.sendResponseHeaders(200, Pulls.WEIGHTS.length);
            exchange.getResponseBody().write(Pulls.WEIGHTS);
            return true;
        });
        at.pull();
        assertThat(at.snapshot().resolve("model.safetensors")).hasBinaryContent(Pulls.WEIGHTS);
    }

    @ParameterizedTest
    @CsvSource({"416,", "206,bytes 5-2999999/3000000", "206,bytes 1000-2999999/4000000", "206,"})
    void aRangeThatIsNotTheOneAskedForBeginsAnew(int status, String range) throws IOException {
        Files.createDirectories(at.part().getParent());
        Files.write(at.part(), Arrays.copyOf(Pulls.WEIGHTS, 1_000));
        at.hub.firstOfStorage(range == null ? FakeHub.status(status) : FakeHub.status(status, "Content-Range", range));
        at.pull();
        assertThat(at.snapshot().resolve("model.safetensors")).hasBinaryContent(Pulls.WEIGHTS);
        assertThat(at.told).containsExactly("model.safetensors: the hub did not go on at byte 1000 [1 s]");
    }

    @Test
    void whatWasLeftOfOtherContentsIsFetchedAnew() throws IOException {
        Files.createDirectories(at.part().getParent());
        Files.write(at.part(), new byte[2_000]);
        at.pull();
        assertThat(at.snapshot().resolve("model.safetensors")).hasBinaryContent(Pulls.WEIGHTS);
        assertThat(at.told)
                .containsExactly("model.safetensors: what was there of it is of something else; it is fetched anew");
        assertThat(at.ranges()).containsExactly("bytes=2000-", "null");
        Files.delete(at.snapshot().resolve("model.safetensors"));
        Files.write(at.part().resolveSibling(FakeHub.sha256(Pulls.WEIGHTS)), new byte[5]); // a blob that lost its end
        Files.write(at.part(), new byte[4_000_000]); // longer than the file
        at.pull();
        assertThat(at.snapshot().resolve("model.safetensors")).hasBinaryContent(Pulls.WEIGHTS);
    }

    @Test
    void aSilentConnectionIsBroken() throws IOException {
        at.hub.firstOfStorage(exchange -> {
            exchange.sendResponseHeaders(200, Pulls.WEIGHTS.length);
            exchange.getResponseBody().write(Pulls.WEIGHTS, 0, 10_000);
            exchange.getResponseBody().flush();
            silence();
            return true;
        });
        at.pull();
        assertThat(at.told).containsExactly("model.safetensors: the connection broke off at byte 10000 [1 s]");
    }

    @Test
    void twoPullsAtOnceFetchOnce() throws Exception {
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            Pull waiting = Pull.of(at.environment()); // with real waits
            Future<Pull.Result> one = threads.submit(() -> waiting.pull(Pulls.NAME, Pull.SILENT));
            Future<Pull.Result> two = threads.submit(() -> waiting.pull(Pulls.NAME, Pull.SILENT));
            assertThat(one.get().path()).isEqualTo(two.get().path()).isEqualTo(at.snapshot());
        }
        assertThat(at.hub.fetches()).isEqualTo(1);
    }

    @Test
    void whereNoLinksCanBeMadeTheFilesThemselvesLieInTheSnapshot() throws IOException {
        assertThat(at.pull("HF_HUB_DISABLE_SYMLINKS", "1").files()).allMatch(Pull.Fetched::fetched);
        assertThat(at.snapshot().resolve("model.safetensors")).isRegularFile().hasBinaryContent(Pulls.WEIGHTS);
        assertThat(Files.isSymbolicLink(at.snapshot().resolve("model.safetensors"))).isFalse();
        assertThat(at.home().resolve("blobs")).isEmptyDirectory();
        assertThat(HubCache.in(at.cache).find(Pulls.NAME)).isEqualTo(at.snapshot());
        assertThat(at.pull("HF_HUB_DISABLE_SYMLINKS", "1").files()).noneMatch(Pull.Fetched::fetched);
    }

    @Test
    void aBlobOfAnotherSnapshotIsCopiedWhereNoLinksCanBeMade() throws IOException {
        at.pull();
        Files.delete(at.snapshot().resolve("model.safetensors"));
        Pull.Result result = at.puller().linking((_, _) -> {
            throw new FileSystemException("link", null, "a privilege is not held");
        }).pull(Pulls.NAME, Pull.SILENT);
        assertThat(Files.isSymbolicLink(result.path().resolve("model.safetensors"))).isFalse();
        assertThat(result.path().resolve("model.safetensors")).hasBinaryContent(Pulls.WEIGHTS);
        assertThat(at.home().resolve("blobs").resolve(FakeHub.sha256(Pulls.WEIGHTS))).hasBinaryContent(Pulls.WEIGHTS);
    }

    @Test
    void aFullDiskIsSaid() throws IOException {
        Path full = Path.of("/dev/full");
        assumeTrue(Files.exists(full), "this system has no /dev/full");
        Files.createDirectories(at.part().getParent());
        Files.createSymbolicLink(at.part(), full);
        at.refuses(
                "model.safetensors: cannot be written: No space left on device; 0 of 3000000 bytes are kept, make room");
        assertThat(at.told).as("tries").isEmpty();
        assertThat(at.home().resolve("refs/main")).doesNotExist();
    }

    @Test
    void whatDoesNotFitIsNotBegun() {
        at.hub.first(FakeHub.none(),
                FakeHub.status(200, "ETag", "\"" + "a".repeat(40) + "\"", "X-Linked-Size", "900000000000000000"));
        at.refuses("has room for ", "bytes, 9000000000000000",
                "are still to come; make room, or name another disk by HF_HUB_CACHE");
    }

    @Test
    void shardsAreThoseOfTheIndex() throws IOException {
        FakeHub other = new FakeHub().with("config.json", "{}").with("consolidated.safetensors", "not needed")
                .with("model.safetensors.index.json",
                        "{\"weight_map\": {\"a\": \"model-1.safetensors\", \"b\": \"model-2.safetensors\"}}")
                .with("model-1.safetensors", "one");
        try (other) {
            assertThatIOException().isThrownBy(() -> at.pull("HF_ENDPOINT", other.endpoint()))
                    .withMessageContaining("the hub's model is not complete, it lacks model-2.safetensors");
            other.with("model-2.safetensors", "two");
            assertThat(at.pull("HF_ENDPOINT", other.endpoint()).files()).extracting(Pull.Fetched::name)
                    .containsExactlyInAnyOrder(
                            "config.json", "model.safetensors.index.json", "model-1.safetensors",
                            "model-2.safetensors");
        }
        assertThat(HubCache.in(at.cache).find(Pulls.NAME)).isEqualTo(at.snapshot());
    }

    @Test
    void aGgufFileComesAlone() throws IOException {
        at.hub.with("tiny-TQ2_0.gguf", "first").with("sub/tiny i2_s.gguf", "second");
        Pull.Result result = at.pull(HubName.parse("org/tiny:i2_s").orElseThrow());
        assertThat(result.path()).isEqualTo(at.snapshot().resolve("sub/tiny i2_s.gguf")).hasContent("second");
        assertThat(Files.readSymbolicLink(result.path()).toString()).startsWith("../../../blobs/");
        assertThat(result.files()).extracting(Pull.Fetched::name).containsExactlyInAnyOrder("sub/tiny i2_s.gguf",
                "README.md", "LICENSE");
        assertThat(HubCache.in(at.cache).find(Pulls.NAME)).isEqualTo(result.path());
        assertThatIOException().isThrownBy(() -> at.pull(HubName.parse("org/tiny:tiny").orElseThrow()))
                .withMessageContaining(
                        "several files are meant; the hub has sub/tiny i2_s.gguf, tiny-TQ2_0.gguf; name one, as org/tiny:");
        assertThatIOException().isThrownBy(() -> at.pull(HubName.parse("org/tiny:q8_0").orElseThrow()))
                .withMessageContaining("no file is named so; the hub has");
    }

    @Test
    void aPartOfANameIsAWord() throws IOException {
        at.hub.with("tiny-Q2_0.gguf", "first").with("tiny-PQ2_0.gguf", "second").with("tiny-Q2_0_g64.gguf", "third");
        assertThat(at.pull(HubName.parse("org/tiny:pq2_0").orElseThrow()).path()).hasContent("second");
        assertThatIOException().isThrownBy(() -> at.pull(HubName.parse("org/tiny:q2_0").orElseThrow()))
                .withMessageContaining("several files are meant");
        assertThat(at.pull(HubName.parse("org/tiny:tiny-q2_0.").orElseThrow()).path()).hasContent("first");
    }

    @Test
    void aListThatBreaksOffIsAskedForAgain() throws IOException {
        Fault broken = exchange -> {
            exchange.sendResponseHeaders(200, 1_000);
            exchange.getResponseBody().write("{\"sha\": ".getBytes());
            exchange.getResponseBody().flush();
            return true;
        };
        Fault silent = exchange -> {
            broken.answer(exchange);
            silence();
            return true;
        };
        at.hub.first(broken, silent);
        at.pull();
        assertThat(at.told).hasSize(2).allMatch(line -> line.startsWith("org/tiny: the connection broke off: "));
    }

    private static void silence() {
        try {
            Thread.sleep(20_000);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aModelOfAnotherKindIsSaid() throws IOException {
        try (FakeHub other = new FakeHub().with("pytorch_model.bin", "x").with("config.json", "{}")) {
            assertThatIOException().isThrownBy(() -> at.pull("HF_ENDPOINT", other.endpoint())).withMessageContaining(
                    "the hub has nothing of it that is read, neither model.safetensors nor GGUF; it has config.json, pytorch_model.bin");
        }
        try (FakeHub other = new FakeHub().with("model.safetensors", "x")) {
            assertThatIOException().isThrownBy(() -> at.pull("HF_ENDPOINT", other.endpoint()))
                    .withMessageContaining("the hub's model is not complete, it lacks config.json");
        }
    }

    @Test
    void aPullCanBeEndedBeforeTheWeights() throws IOException {
        assertThatIOException().isThrownBy(() -> at.puller().pull(Pulls.NAME, new Pull.Progress() {
            @Override
            public void beforeWeights(Path folder) throws IOException {
                assertThat(folder.resolve("config.json")).hasContent("{}");
                throw new IOException("not this one");
            }
        })).withMessage("not this one");
        assertThat(at.hub.fetches()).isZero();
    }

    @Test
    void aRevisionHasARefOfItsOwn() throws IOException {
        at.pull(HubName.parse("org/tiny@refs/pr/7").orElseThrow());
        assertThat(at.home().resolve("refs/refs/pr/7")).hasContent(FakeHub.COMMIT);
        assertThat(at.hub.seen().getFirst().path()).isEqualTo("/api/models/org/tiny/revision/refs%2Fpr%2F7");
        assertThat(HubCache.in(at.cache).find(HubName.parse("org/tiny@refs/pr/7").orElseThrow()))
                .isEqualTo(at.snapshot());
        at.pull(HubName.parse("org/tiny@" + FakeHub.COMMIT).orElseThrow());
        assertThat(at.home().resolve("refs").resolve(FakeHub.COMMIT)).doesNotExist();
    }
}
