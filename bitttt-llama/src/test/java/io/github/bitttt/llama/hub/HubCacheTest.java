package io.github.bitttt.llama.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bitttt.llama.zoo.Zoo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A cache as Python's tools leave it, and what is said of one that lacks something. */
class HubCacheTest {
    private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
    private static final String OTHER = "f".repeat(40);

    @TempDir
    private Path folder;

    private Path home() {
        return folder.resolve("models--org--tiny-1.58");
    }

    private Path snapshot(String commit) {
        return home().resolve("snapshots").resolve(commit);
    }

    /** A link to a blob, as the hub's tools make it. */
    private void file(String commit, String name, String text) throws IOException {
        Path blob = Files.createDirectories(home().resolve("blobs"))
                .resolve("b" + Math.abs(text.hashCode()) + name.hashCode());
        Files.writeString(blob, text);
        Path link = snapshot(commit).resolve(name);
        Files.createDirectories(link.getParent());
        Files.createSymbolicLink(link, link.getParent().relativize(blob));
    }

    private void main(String commit) throws IOException {
        Files.createDirectories(home().resolve("refs"));
        Files.writeString(home().resolve("refs/main"), commit);
    }

    private Path find(String name) throws IOException {
        return HubCache.in(folder).find(HubName.parse(name).orElseThrow());
    }

    private void missing(String name, String... parts) {
        assertThatIOException().isThrownBy(() -> find(name)).isInstanceOf(NoSuchFileException.class)
                .satisfies(e -> assertThat(((NoSuchFileException) e).getReason()).contains(parts));
    }

    @ParameterizedTest
    @CsvSource({"org/name,org/name,main,", "org/name@v1.0,org/name,v1.0,", "org/name:a.gguf,org/name,main,a.gguf",
            "o/n@refs/pr/1:sub/a b.gguf,o/n,refs/pr/1,sub/a b.gguf",
            "microsoft/bitnet-b1.58-2B-4T,microsoft/bitnet-b1.58-2B-4T,main,"})
    void aNameHasThreeParts(String text, String id, String revision, String file) {
        HubName name = HubName.parse(text).orElseThrow();
        assertThat(name).isEqualTo(new HubName(id, revision, Optional.ofNullable(file)));
        assertThat(name).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"name", "a/b/c", "./a", "../a", "/a/b", "a/", "a/..", "a/b--c", "a/.b", "a b/c", "-a/b", "",
            "a\\b"})
    void otherTextsAreNoNames(String text) {
        assertThat(HubName.parse(text)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"a/b@..", "a/b@x/../y", "a/b:../x.gguf", "a/b:/x.gguf", "a/b:x\\y.gguf", "a/b:a//b.gguf",
            "a/b@x/./y"})
    void noPartLeadsOutOfItsFolder(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> HubName.parse(text));
    }

    @Test
    void theEnvironmentNamesTheCache() throws IOException {
        Path home = Path.of(System.getProperty("user.home"));
        assertThat(HubCache.of(Map.of("HF_HUB_CACHE", "/c", "HF_HOME", "/h")).folder()).isEqualTo(Path.of("/c"));
        assertThat(HubCache.of(Map.of("HF_HOME", "/h", "XDG_CACHE_HOME", "/x")).folder()).isEqualTo(Path.of("/h/hub"));
        assertThat(HubCache.of(Map.of("XDG_CACHE_HOME", "/x", "HOME", "/me")).folder())
                .isEqualTo(Path.of("/x/huggingface/hub"));
        assertThat(HubCache.of(Map.of("HOME", "/me", "HF_HOME", "")).folder())
                .isEqualTo(Path.of("/me/.cache/huggingface/hub"));
        assertThat(HubCache.of(Map.of()).folder()).isEqualTo(home.resolve(".cache/huggingface/hub"));
        assertThat(HubCache.of(Map.of("HOME", "/me", "HF_HOME", "~/hf")).folder()).isEqualTo(Path.of("/me/hf/hub"));
        assertThat(HubCache.of(Map.of("HF_HUB_CACHE", "${A}/$B/$C", "A", "/a", "B", "b")).folder())
                .isEqualTo(Path.of("/a/b/$C"));
    }

    @Test
    void withoutAHomeTheErrorNamesTheVariable() {
        String home = System.getProperty("user.home");
        System.setProperty("user.home", "?");
        try {
            assertThatIOException().isThrownBy(() -> HubCache.of(Map.of()).find(HubName.parse("a/b").orElseThrow()))
                    .withMessageContaining("set HF_HUB_CACHE").withMessageContaining("./bitttt pull a/b");
            assertThatIOException().isThrownBy(() -> HubCache.of(Map.of()).folder())
                    .withMessageContaining("set HF_HUB_CACHE");
        } finally {
            System.setProperty("user.home", home);
        }
    }

    @Test
    void aFolderOfThatNameGoesFirst() throws IOException {
        assertThat(Zoo.place("src/main")).contains(Path.of("src/main"));
        assertThat(Zoo.place(Zoo.DEFAULT)).isEmpty();
        assertThatIOException().isThrownBy(() -> Zoo.place("src/no-such-model"))
                .withMessageContaining("./bitttt pull src/no-such-model");
    }

    @Test
    void aSnapshotIsFoundByBranchTagAndCommit() throws IOException {
        main(COMMIT + "\n");
        file(COMMIT, "config.json", "{}");
        file(COMMIT, "model.safetensors", "x");
        assertThat(find("org/tiny-1.58")).isEqualTo(snapshot(COMMIT));
        assertThat(find("org/tiny-1.58@" + COMMIT)).isEqualTo(snapshot(COMMIT));
        Files.createDirectories(home().resolve("refs/refs/pr"));
        Files.writeString(home().resolve("refs/refs/pr/1"), COMMIT);
        assertThat(find("org/tiny-1.58@refs/pr/1")).isEqualTo(snapshot(COMMIT));
        missing("org/tiny-1.58@v2",
                home().resolve("refs/v2") + " is not there; name one of the commits that are by ORG/NAME@COMMIT: ["
                        + COMMIT + "]",
                "./bitttt pull org/tiny-1.58@v2 fetches it");
        missing("org/tiny-1.58@" + OTHER, snapshot(OTHER) + " is not there");
        Files.writeString(home().resolve("refs/main"), "../../../etc");
        assertThatIOException().isThrownBy(() -> find("org/tiny-1.58"))
                .withMessageContaining(
                        "refs/main: must hold the hash of a commit, 40 hexadecimal digits, got ../../../etc");
    }

    @Test
    void whatIsNotThereSaysWhereItWasLookedFor() {
        missing("org/none", "looked for " + Path.of("org/none").toAbsolutePath() + " and "
                + folder.resolve("models--org--none"), "./bitttt pull org/none fetches it");
    }

    @Test
    void whatASnapshotLacksIsNamed() throws IOException {
        main(COMMIT);
        file(COMMIT, "config.json", "{}");
        missing("org/tiny-1.58", "is not complete, it lacks model.safetensors",
                "./bitttt pull org/tiny-1.58 fetches what is missing");
        file(COMMIT, "model.safetensors.index.json",
                "{\"weight_map\": {\"a\": \"model-1.safetensors\", \"b\": \"model-2.safetensors\"}}");
        file(COMMIT, "model-1.safetensors", "x");
        missing("org/tiny-1.58", "it lacks model-2.safetensors;");
        file(COMMIT, "model-2.safetensors", "y");
        assertThat(find("org/tiny-1.58")).isEqualTo(snapshot(COMMIT));
        // A link whose blob was removed.
        Files.delete(snapshot(COMMIT).resolve("model-1.safetensors").toRealPath());
        missing("org/tiny-1.58", "it lacks model-1.safetensors;");
        Files.delete(snapshot(COMMIT).resolve("config.json"));
        missing("org/tiny-1.58", "it lacks config.json, model-1.safetensors;");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"weight_map\": {\"a\": \"../../x\"}}", "{\"weight_map\": {\"a\": 1}}", "[]", "{"})
    void anIndexIsNotBelieved(String index) throws IOException {
        main(COMMIT);
        file(COMMIT, "config.json", "{}");
        file(COMMIT, "model.safetensors.index.json", index);
        assertThatIOException().isThrownBy(() -> find("org/tiny-1.58")).withMessageContaining("index.json: ");
    }

    @Test
    void aSingleGgufFileIsTheModel() throws IOException {
        main(COMMIT);
        file(COMMIT, "README.md", "about");
        missing("org/tiny-1.58:a.gguf", "the cache has no GGUF file of it");
        file(COMMIT, "sub/tiny-TQ2_0.gguf", "x");
        assertThat(find("org/tiny-1.58")).isEqualTo(snapshot(COMMIT).resolve("sub/tiny-TQ2_0.gguf"));
        file(COMMIT, "tiny-i2_s.gguf", "y");
        missing("org/tiny-1.58", "several files are meant; the cache has sub/tiny-TQ2_0.gguf, tiny-i2_s.gguf; "
                + "name one, as org/tiny-1.58:sub/tiny-TQ2_0.gguf");
        assertThat(find("org/tiny-1.58:I2_S")).isEqualTo(snapshot(COMMIT).resolve("tiny-i2_s.gguf"));
        assertThat(find("org/tiny-1.58:sub/tiny-TQ2_0.gguf"))
                .isEqualTo(snapshot(COMMIT).resolve("sub/tiny-TQ2_0.gguf"));
        missing("org/tiny-1.58:q8", "no file is named so; the cache has sub/tiny-TQ2_0.gguf, tiny-i2_s.gguf");
        // A folder of tensors beside them is what is meant where no file is named.
        file(COMMIT, "config.json", "{}");
        file(COMMIT, "model.safetensors", "z");
        assertThat(find("org/tiny-1.58")).isEqualTo(snapshot(COMMIT));
        assertThat(find("org/tiny-1.58:TQ2")).isEqualTo(snapshot(COMMIT).resolve("sub/tiny-TQ2_0.gguf"));
        Files.delete(snapshot(COMMIT).resolve("tiny-i2_s.gguf").toRealPath());
        missing("org/tiny-1.58:i2_s", "it lacks tiny-i2_s.gguf");
    }
}
