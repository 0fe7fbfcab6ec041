package io.github.bitttt.llama.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.cli.Main;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.tests.faults.Programs;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A model from the hub to its first words: pulled by the program, found by its name in Java, in programs and in Python, and the reverse. */
class PulledModelTest {
    private static final String PYTHON = System.getProperty("bitttt.python", "python3");
    private static final Path FIXTURE = Path.of("src/test/resources/hf/bitnet-packed-bf16");
    private static final String SECRET = "hf_aSecretOfTheUser";

    @TempDir
    private Path folder;
    private FakeHub hub;
    private Path direct;

    @BeforeEach
    void aTinyBitNet() throws IOException {
        direct = Files.createDirectories(folder.resolve("direct"));
        Files.copy(FIXTURE.resolve("config.json"), direct.resolve("config.json"));
        Files.copy(FIXTURE.resolve("model.safetensors"), direct.resolve("model.safetensors"));
        Files.writeString(direct.resolve("tokenizer.json"),
                BpeTrainer.train("the cat sat on the mat and the dog sat on the cat, "
                        + "then the bird came over and all of them went away to where the other cats were sitting on mats",
                        301));
        hub = new FakeHub();
        for (String name : new String[]{"config.json", "model.safetensors", "tokenizer.json"}) {
            hub.with(name, Files.readAllBytes(direct.resolve(name)));
        }
        hub.with("README.md", "a tiny model");
    }

    @AfterEach
    void close() {
        hub.close();
    }

    private Path cache(String name) {
        return folder.resolve(name);
    }

    /** Without a home. */
    private Map<String, String> environment(String cache) {
        return new LinkedHashMap<>(
                Map.of("HF_ENDPOINT", hub.endpoint(), "HF_HUB_CACHE", cache(cache).toString(), "HF_HOME",
                        folder.resolve("home").toString(), "HF_TOKEN", SECRET, "HOME", "", "HF_HUB_OFFLINE", ""));
    }

    /** Loads a model by its name. */
    static final class Loads {
        private Loads() {
        }

        /** Prints what it is. */
        public static void main(String[] arguments) throws IOException {
            try (Model model = Model.load(arguments[0])) {
                System.out.println(model.fingerprint() + " " + model.tokenizer().vocabSize());
            }
        }
    }

    @Test
    void fromTheHubToTheFirstWords() throws Exception {
        Map<String, String> environment = environment("ours");
        assertThat(Programs.failing(environment, Main.class, "generate", "--model", FakeHub.ID)).contains(
                "org/tiny: neither a model folder, file or name of the zoo nor a model in the cache; looked for ",
                "./bitttt pull org/tiny fetches it");

        String pulled = Programs.run(environment, Main.class, "pull", FakeHub.ID, "--json");
        assertThat(pulled).doesNotContain(SECRET);
        JsonNode result = new ObjectMapper().readTree(pulled.substring(pulled.lastIndexOf("{\"model\"")));
        assertThat(result.get("commit").asText()).isEqualTo(FakeHub.COMMIT);
        assertThat(result.get("files")).hasSize(4);
        assertThat(result.get("fetched_bytes")).isEqualTo(result.get("bytes"));
        Path snapshot = Path.of(result.get("path").asText());
        assertThat(HubCache.in(cache("ours")).find(Pulls.NAME)).isEqualTo(snapshot);

        String loaded = Programs.run(environment, Loads.class, FakeHub.ID);
        try (Model model = Model.load(direct)) {
            assertThat(loaded.strip()).endsWith(model.fingerprint() + " 301");
        }
        environment.put("HF_HUB_CACHE", "");
        environment.put("XDG_CACHE_HOME", folder.resolve("xdg").toString());
        environment.put("HF_HOME", "");
        Files.createDirectories(folder.resolve("xdg/huggingface"));
        Files.move(cache("ours"), folder.resolve("xdg/huggingface/hub"));
        String told = Programs.run(environment, Main.class, "generate", "--model", FakeHub.ID + "@" + FakeHub.COMMIT,
                "--tokens",
                "3", "--prompt", "the cat", "--json");
        assertThat(new ObjectMapper().readTree(told.substring(told.lastIndexOf("{\""))).get("tokens").asInt())
                .isEqualTo(3);
    }

    @Test
    void whatIsNotReadIsSaidBeforeTheWeightsCome() throws Exception {
        hub.with("config.json", "{\"model_type\": \"llama\", \"hidden_size\": 64, \"vocab_size\": 10}");
        assertThat(Programs.failing(environment("ours"), Main.class, "pull", FakeHub.ID)).contains(
                "org/tiny is no model that bitttt reads, so its weights were not fetched: ",
                "quant_method must be \"bitnet\"",
                "./bitttt import --list names what is read");
        assertThat(hub.fetches()).isZero();
        assertThat(Programs.failing(environment("ours"), Main.class, "pull", "tiny")).contains(
                "pull takes the name of a model on the hub, ORG/NAME, got tiny");
        assertThat(Programs.failing(environment("ours"), Main.class, "pull", "org/tiny:a.gguf", "--file", "b.gguf"))
                .contains(
                        "the name org/tiny:a.gguf and an option say both which file is meant");
    }

    @Test
    void aFileAndARevisionAreNamedByOptions() throws Exception {
        hub.with("tiny-a.gguf", "a").with("tiny-b.gguf", "b");
        String pulled = Programs.run(environment("ours"), Main.class, "pull", FakeHub.ID, "--file", "tiny-b",
                "--revision", "v1",
                "--json");
        assertThat(new ObjectMapper().readTree(pulled.substring(pulled.lastIndexOf("{\"model\""))).get("path").asText())
                .endsWith("snapshots/" + FakeHub.COMMIT + "/tiny-b.gguf");
        assertThat(cache("ours").resolve("models--org--tiny/refs/v1")).hasContent(FakeHub.COMMIT);
        assertThat(Programs.failing(environment("ours"), Main.class, "inspect", "--model", "org/tiny@v1:tiny-a"))
                .contains("no file is named so; the cache has tiny-b.gguf");
    }

    private String python(String cache, String program) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(PYTHON, "-c", program)
                .redirectError(folder.resolve("errors").toFile());
        builder.environment().putAll(environment(cache));
        builder.environment().values().removeIf(String::isEmpty);
        builder.environment().put("HOME", folder.toString());
        builder.environment().put("HF_HUB_DISABLE_XET", "1");
        Process process = builder.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
        assertThat(process.exitValue()).as(Files.readString(folder.resolve("errors"))).isZero();
        return out.strip();
    }

    private void assumePython() throws InterruptedException {
        try {
            assumeTrue(new ProcessBuilder(PYTHON, "-c", "import huggingface_hub").redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0,
                    "huggingface_hub is not installed");
        } catch (IOException e) {
            assumeTrue(false, "there is no " + PYTHON);
        }
    }

    /** Files of snapshots with what their links lead to, and of refs and blobs with their contents' size. */
    private Map<String, String> layout(Path cache) throws IOException {
        Path home = cache.resolve("models--org--tiny");
        Map<String, String> layout = new TreeMap<>();
        for (String part : new String[]{"refs", "blobs", "snapshots"}) {
            try (Stream<Path> all = Files.walk(home.resolve(part))) {
                for (Path path : all.filter(path -> !Files.isDirectory(path)).toList()) {
                    layout.put(home.relativize(path).toString(), Files.isSymbolicLink(path)
                            ? Files.readSymbolicLink(path).toString()
                            : FakeHub.sha256(Files.readAllBytes(path)));
                }
            }
        }
        return layout;
    }

    @Test
    void pythonFindsWhatWasPulledAndTheReverse() throws Exception {
        assumePython();
        Path ours = Pull.of(environment("ours")).pull(Pulls.NAME, Pull.SILENT).path();
        assertThat(python("ours",
                "import huggingface_hub as h; print(h.snapshot_download('org/tiny', local_files_only=True))"))
                .isEqualTo(ours.toString());
        assertThat(python("ours",
                "import huggingface_hub as h; print(h.hf_hub_download('org/tiny', 'model.safetensors', local_files_only=True))"))
                .isEqualTo(ours.resolve("model.safetensors").toString());
        assertThat(python("ours", "import huggingface_hub as h; c = h.scan_cache_dir(); "
                + "print(len(c.warnings), [(r.repo_id, len(v.files)) for r in c.repos for v in r.revisions])"))
                .isEqualTo("0 [('org/tiny', 4)]");

        String theirs = python("theirs", "import huggingface_hub as h; print(h.snapshot_download('org/tiny'))");
        assertThat(HubCache.in(cache("theirs")).find(Pulls.NAME)).hasToString(theirs);
        assertThat(layout(cache("ours"))).isEqualTo(layout(cache("theirs")));
        assertThat(Pull.of(environment("theirs")).pull(Pulls.NAME, Pull.SILENT).files())
                .noneMatch(Pull.Fetched::fetched);
    }
}
