package io.github.bitttt.llama.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import io.github.bitttt.llama.hub.FakeHub.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.net.URI;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is kept from a hub, and from those it sends elsewhere to: tokens, folders, trust and time. */
class PullSafetyTest {
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
    void wrongContentsAreRefusedAndRemoved() throws IOException {
        byte[] wrong = Pulls.WEIGHTS.clone();
        wrong[1_234_567]++;
        at.hub.firstOfStorage(exchange -> {
            exchange.sendResponseHeaders(200, wrong.length);
            exchange.getResponseBody().write(wrong);
            return true;
        });
        at.refuses("model.safetensors: its SHA-256 must be " + FakeHub.sha256(Pulls.WEIGHTS) + ", got "
                + FakeHub.sha256(wrong)
                + "; it was refused and removed");
        at.nothingWrongIsLeft();
        at.pull();
    }

    @Test
    void wrongSmallContentsAreRefusedToo() {
        // The list, then HEAD of the four small files, two of them with a redirect; the first contents are those of README.md.
        Fault[] answers = new Fault[7];
        Arrays.fill(answers, FakeHub.none());
        at.hub.first(answers).first(exchange -> {
            exchange.sendResponseHeaders(200, 8);
            exchange.getResponseBody().write("about me".getBytes());
            return true;
        });
        at.refuses("README.md: its git hash must be " + FakeHub.gitHash("about it".getBytes()) + ", got "
                + FakeHub.gitHash("about me".getBytes()));
    }

    @Test
    void moreBytesThanPromisedAreRefused() throws IOException {
        at.hub.firstOfStorage(exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write(Pulls.WEIGHTS);
            exchange.getResponseBody().write(Pulls.WEIGHTS);
            return true;
        });
        at.refuses("model.safetensors: the hub says that it has 3000000 bytes, and sends more");
        assertThat(Files.size(at.part())).isZero();
    }

    @Test
    void whatCannotBeCheckedIsNotFetched() {
        at.hub.first(FakeHub.none(), FakeHub.status(200, "ETag", "\"md5-or-so\"", "Content-Length", "10"));
        at.refuses("LICENSE: the hub must give its size and a hash of 40 or 64 hexadecimal digits, got");
        at.hub.first(FakeHub.none(),
                FakeHub.status(200, "ETag", "\"" + "a".repeat(40) + "\"", "X-Linked-Size", "5", "X-Repo-Commit",
                        "b".repeat(40)));
        at.refuses("LICENSE: the hub must give it of commit " + FakeHub.COMMIT + ", got bbbb");
    }

    @Test
    void theTokenGoesToTheHubAlone() throws IOException {
        at.hub.demanding(Pulls.SECRET);
        at.pull("HF_TOKEN", Pulls.SECRET);
        assertThat(at.hub.seen()).filteredOn(seen -> seen.host().equals(at.hub.storageHost())).hasSize(1)
                .allMatch(seen -> seen.token().equals("null"));
        assertThat(at.hub.seen()).filteredOn(seen -> !seen.host().equals(at.hub.storageHost())).hasSizeGreaterThan(5)
                .allMatch(seen -> seen.token().equals("Bearer " + Pulls.SECRET));
    }

    @Test
    void theTokenMayStandInTheFileOfTheHubsTools() throws IOException {
        at.hub.demanding(Pulls.SECRET);
        Files.createDirectories(at.cache.resolve("home"));
        Files.writeString(at.cache.resolve("home/token"), Pulls.SECRET + "\n");
        at.pull();
        Path other = Files.writeString(at.cache.resolve("other"), "hf_wrong");
        assertThatIOException().isThrownBy(() -> at.pull("HF_TOKEN_PATH", other.toString()))
                .withMessageContaining("was not accepted");
    }

    @ParameterizedTest
    @ValueSource(strings = {"hf_aSecretOfTheUser\nX: y", "hf_aSecretOfTheUser and more", "hf_aSecretOfTheUseré"})
    void noMessageShowsTheToken(String token) {
        assertThatIOException().isThrownBy(() -> at.puller("HF_TOKEN", token))
                .withMessageStartingWith("HF_TOKEN: must hold a token")
                .satisfies(e -> assertThat(e.toString()).doesNotContain("Secret"));
        at.hub.demanding("another");
        assertThatIOException().isThrownBy(() -> at.pull("HF_TOKEN", Pulls.SECRET))
                .withMessageContainingAll("answers 401 (Invalid credentials)", "the one that is there was not accepted")
                .satisfies(e -> assertThat(e.toString()).doesNotContain("Secret"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "401|RepoNotFound|there is no such model, or it is private or gated and wants a token, in HF_TOKEN or in the file that `hf auth login` writes; none is there",
            "401|GatedRepo|the model is gated or private: accept its terms at ",
            "403|GatedRepo|/org/tiny, and give a token of that account", "403||the model is gated or private",
            "404|RepoNotFound|there is no such model, or no revision main of it",
            "404|RevisionNotFound|the model has no revision main",
            "404|EntryNotFound|the model has no such file any more", "418||answers 418"})
    void refusalsSayWhatToDo(int status, String code, String message) {
        at.hub.first(code == null ? FakeHub.status(status) : FakeHub.status(status, "X-Error-Code", code));
        at.refuses("org/tiny: http://127.0.0.1:", message);
        assertThat(at.told).isEmpty();
    }

    @Test
    void aHubThatIsBusyIsAskedAgain() throws IOException {
        at.hub.first(FakeHub.status(429, "Retry-After", "7"),
                FakeHub.status(429, "Retry-After", "Mon, 30 Nov 2026 00:00:09 GMT"),
                FakeHub.status(429, "RateLimit", "\"api\";r=0;t=55"),
                FakeHub.status(503));
        at.hub.firstOfStorage(FakeHub.status(500), FakeHub.status(429, "Retry-After", "3"));
        at.pull();
        assertThat(at.told).extracting(line -> line.replaceAll(".*answers (\\d+) ", "$1 ")).containsExactly("429 [7 s]",
                "429 [9 s]",
                "429 [55 s]", "503 [8 s]", "500 [1 s]", "429 [3 s]");
    }

    @Test
    void tryingEnds() {
        Fault busy = FakeHub.status(503);
        at.hub.first(busy, busy, busy, busy, busy);
        at.refuses("org/tiny: http://127.0.0.1:", "answers 503; asked 5 times");
        assertThat(at.told).hasSize(4);
        at.hub.first(FakeHub.status(429, "Retry-After", "86400"));
        at.refuses("answers 429; it asks to wait 86400 s, come back then");
    }

    @Test
    void aHubThatIsNotThereIsSaid() {
        at.hub.close();
        at.refuses("org/tiny: cannot be reached at 127.0.0.1: ", "; asked 5 times");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../../../evil.json", "/etc/evil.json", "a/../../evil.json", "..\\evil.json", "a//b.json",
            "", "a/./b",
            "config.json\u0000.txt"})
    void aNameThatLeadsOutEndsThePull(String name) throws IOException {
        at.hub.listing(name);
        at.refuses("org/tiny: the hub names a file that leads out of its folder");
        assertThat(at.home()).doesNotExist();
    }

    @Test
    void aHashThatLeadsOutIsNone() {
        at.hub.first(FakeHub.none(), FakeHub.status(200, "ETag", "\"../../../evil\"", "X-Linked-Size", "1"));
        at.refuses("got 1 bytes and ../../../evil");
        at.hub.first(exchange -> {
            byte[] list = "{\"sha\": \"../../evil\", \"siblings\": []}".getBytes();
            exchange.sendResponseHeaders(200, list.length);
            exchange.getResponseBody().write(list);
            return true;
        });
        at.refuses("the hub must give the hash of a commit, got \"../../evil\"");
    }

    @Test
    void namesThatAreNoFilesElsewhereAreNotNeeded() throws IOException {
        at.hub.listing("step 1: begin.pt");
        assertThat(at.pull().files()).hasSize(5);
    }

    @ParameterizedTest
    @CsvSource({"https://hub.example, https://storage.example/x, true",
            "https://hub.example, http://storage.example/x, false",
            "https://hub.example, http://127.0.0.1/x, false",
            "https://hub.example, ftp://hub.example/x, false",
            "https://hub.example, https://user@storage.example/x, false",
            "http://127.0.0.1:9, http://localhost:8/x, true",
            "http://127.0.0.1:9, https://storage.example/x, true", "http://127.0.0.1:9, file:///etc/x, false"})
    void redirectsStaySecret(String endpoint, String target, boolean followed) throws IOException {
        HubAccess access = HubAccess.of(at.environment("HF_ENDPOINT", endpoint, "HF_TOKEN", Pulls.SECRET));
        assertThat(access.mayFollow(URI.create(target))).isEqualTo(followed);
        assertThat(access.toString()).doesNotContain("Secret");
    }

    @ParameterizedTest
    @CsvSource({"https://hub.example, https://hub.example/x, true",
            "https://hub.example, https://HUB.example:443/x, true",
            "https://hub.example, https://hub.example:444/x, false",
            "https://hub.example, http://hub.example/x, false",
            "https://hub.example, https://hub.example.evil/x, false",
            "https://hub.example, https://a.hub.example/x, false",
            "http://hub.example, http://hub.example/x, false", "http://127.0.0.1:9, http://127.0.0.1:9/x, true",
            "http://127.0.0.1:9, http://localhost:9/x, false", "http://127.0.0.1:9, http://127.0.0.1:10/x, false"})
    void theTokenIsForOneHost(String endpoint, String address, boolean has) throws IOException {
        HubAccess access = HubAccess.of(at.environment("HF_ENDPOINT", endpoint, "HF_TOKEN", Pulls.SECRET));
        assertThat(access.tokenFor(URI.create(address)).isPresent()).isEqualTo(has);
    }

    @ParameterizedTest
    @ValueSource(strings = {"hub.example", "ftp://hub.example", "https://", "https://me:pass@hub.example",
            "https://h?x=1", "ht tp:/"})
    void anEndpointIsAnAddress(String endpoint) {
        assertThatIOException().isThrownBy(() -> HubAccess.of(at.environment("HF_ENDPOINT", endpoint)))
                .withMessageStartingWith("HF_ENDPOINT must be the address of a hub");
    }

    @Test
    void redirectsEnd() {
        at.hub.first(FakeHub.status(302, "Location", "ftp://127.0.0.1/x"));
        at.refuses("redirects to ftp://127.0.0.1, which is not https; that is not followed");
        Fault around = FakeHub.status(307, "Location", "/api/models/org/tiny/revision/main");
        at.hub.first(around, around, around, around, around, around, around, around, around, around, around);
        at.refuses("redirects more than 10 times");
        at.hub.first(FakeHub.status(302, "Location", "http://:::/ x"));
        at.refuses("redirects to something that is no address");
    }

    @Test
    void aModelThatWasRenamedIsFound() throws IOException {
        at.hub.first(FakeHub.status(307, "Location", "/api/models/" + FakeHub.ID + "/revision/main"));
        assertThat(at.pull().path()).isEqualTo(at.snapshot());
    }

    @Test
    void offlineIsObeyed() {
        assertThatIOException().isThrownBy(() -> at.pull("HF_HUB_OFFLINE", "1"))
                .withMessage("org/tiny: HF_HUB_OFFLINE is set, so nothing is fetched");
        assertThat(at.hub.seen()).isEmpty();
    }
}
