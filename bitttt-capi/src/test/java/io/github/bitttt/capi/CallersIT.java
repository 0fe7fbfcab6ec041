package io.github.bitttt.capi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The library from C++, Python, C# and Node.js. */
class CallersIT {
    private static final Path EXAMPLES = Programs.DIST.resolve("examples");

    /** The story that Java tells. */
    private static void tellsAStory(String told) throws IOException {
        try (Model model = Model.load(Zoo.DEFAULT); Session session = model.newSession()) {
            String text = session.generate("One day", model.defaults().withMaxNewTokens(200)).result().text();
            assertThat(told).isEqualTo("One day" + text + "\n");
        }
    }

    @Test
    void cpp() throws IOException, InterruptedException {
        String compiler = Programs.tool("c++", "g++", "clang++");
        String test = Programs.compile(compiler, Programs.SOURCES.resolve("cpp").resolve("test.cpp"), "-std=c++17");
        assertThat(Programs.run(Map.of(), List.of(test, Programs.models("cpp").toString()))).isEqualTo("ok\n");
        String story = Programs.compile(compiler, EXAMPLES.resolve("story.cpp"), "-std=c++17");
        tellsAStory(Programs.run(Map.of(), List.of(story, "One day")));
    }

    /** Installed by pip without a network, where there is a pip. */
    @Test
    void python() throws IOException, InterruptedException {
        String python = Programs.tool("python3");
        Path packages = Programs.work("site-packages");
        boolean pip = succeeds(python, "-m", "pip", "--version");
        assumeTrue(pip, "python3 has no pip");
        Programs.run(Map.of(), List.of(python, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-index",
                "--upgrade", "--target", packages.toString(), Programs.DIST.resolve("python").toString()));
        String test = Programs.SOURCES.resolve("python").resolve("test_bitttt.py").toString();
        Map<String, String> installed = Map.of("PYTHONPATH", packages.toString(), "BITTTT_MODELS",
                Programs.models("python").toString());
        Programs.run(installed, List.of(python, test));
        tellsAStory(Programs.run(installed, List.of(python, EXAMPLES.resolve("story.py").toString(), "One day")));
        // Layers once more where numpy is absent.
        Path without = Files.createDirectories(Programs.work("without-numpy"));
        Files.writeString(without.resolve("numpy.py"), "raise ImportError('absent')\n");
        Programs.run(Map.of("PYTHONPATH", without + ":" + packages, "BITTTT_MODELS", installed.get("BITTTT_MODELS")),
                List.of(python, test, "Layers", "Sessions.test_feed_fork_reset"));
    }

    /** What a user installs holds what runs, the archive of classes, and the licence. */
    @Test
    void theWheelIsWhole(@TempDir Path folder) throws IOException, InterruptedException {
        String python = Programs.tool("python3");
        assumeTrue(succeeds(python, "-m", "pip", "--version"), "python3 has no pip");
        Programs.run(Map.of(), List.of(python, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-index",
                "--wheel-dir", folder.toString(), Programs.DIST.resolve("python").toString()));
        try (Stream<Path> wheels = Files.list(folder);
                ZipFile wheel = new ZipFile(wheels.findFirst().orElseThrow().toFile())) {
            assertThat(wheel.stream().map(ZipEntry::getName)).contains("bitttt/native/libbitttt.so",
                    "bitttt/native/bitttt.jar", "bitttt/native/bitttt.jsa", "bitttt/py.typed", "bitttt/_checks.py",
                    "bitttt-0.1.0.dist-info/licenses/LICENSE", "bitttt-0.1.0.dist-info/licenses/NOTICE");
        }
    }

    /** Packed, unpacked where nothing else of bitttt is, and run from there. */
    @Test
    void theNpmPackageIsWhole() throws IOException, InterruptedException {
        String node = Programs.tool("node");
        String npm = Programs.tool("npm");
        String tar = Programs.tool("tar");
        assumeTrue(succeeds(node, "--input-type=module", "-e", "import 'koffi'"),
                "koffi is not installed: npm install --prefix bitttt-capi/target koffi");
        Path folder = Files.createDirectories(Programs.work("npm"));
        Programs.run(Map.of(), List.of(npm, "pack", "--silent", "--offline", "--pack-destination", folder.toString(),
                Programs.DIST.resolve("node").toString()));
        Programs.run(Map.of(),
                List.of(tar, "-xzf", folder.resolve("bitttt-0.1.0.tgz").toString(), "-C", folder.toString(),
                        "--touch"));
        Path unpacked = folder.resolve("package");
        for (String file : List.of("index.d.ts", "LICENSE", "NOTICE", "native/libbitttt.so", "native/bitttt.jsa")) {
            assertThat(unpacked.resolve(file)).isRegularFile();
        }
        Path log = folder.resolve("classes.log");
        String program = "const { version } = await import(process.argv[1]); console.log(version());";
        assertThat(Programs.run(
                // As it stands from where the program runs: options are divided at blanks, which the whole path may have.
                Map.of("BITTTT_JAVA_OPTIONS", "-Xlog:class+load:file=" + folder.getFileName() + "/classes.log"),
                List.of(node, "--input-type=module", "-e", program, unpacked.resolve("index.mjs").toUri().toString())))
                .startsWith("bitttt 0.1.0");
        assertThat(Files.readString(log))
                .containsPattern("io.github.bitttt.capi.Bridge source: shared objects file");
    }

    /** As their licences ask. */
    @Test
    void theJarCarriesLicences() throws IOException {
        try (ZipFile jar = new ZipFile(Programs.DIST.resolve("bitttt.jar").toFile())) {
            assertThat(jar.stream().map(ZipEntry::getName)).contains("META-INF/LICENSE", "META-INF/NOTICE");
        }
        for (String folder : List.of("", "python", "csharp", "node")) {
            assertThat(Programs.DIST.resolve(folder).resolve("LICENSE")).isRegularFile();
            assertThat(Programs.DIST.resolve(folder).resolve("NOTICE")).isRegularFile();
        }
    }

    private static boolean succeeds(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).directory(Programs.DIST.resolve("node").toFile())
                .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        return process.waitFor() == 0;
    }

    @Test
    void csharp() throws IOException, InterruptedException {
        String compiler = Programs.tool("mcs");
        String mono = Programs.tool("mono");
        String library = Programs.DIST.resolve("csharp").resolve("Bitttt.cs").toString();
        Map<String, String> beside = Map.of("LD_LIBRARY_PATH", Programs.DIST.toString());
        String test = Programs.work("Test.exe").toString();
        Programs.run(Map.of(), List.of(compiler, "-warnaserror", "-r:System.Core", "-out:" + test,
                Programs.SOURCES.resolve("csharp").resolve("Test.cs").toString(), library));
        assertThat(Programs.run(beside, List.of(mono, test, Programs.models("csharp").toString()))).isEqualTo("ok\n");
        String story = Programs.work("Story.exe").toString();
        Programs.run(Map.of(), List.of(compiler, "-warnaserror", "-out:" + story,
                EXAMPLES.resolve("Story.cs").toString(), library));
        tellsAStory(Programs.run(beside, List.of(mono, story, "One day")));
    }

    @Test
    void node() throws IOException, InterruptedException {
        String node = Programs.tool("node");
        assumeTrue(succeeds(node, "--input-type=module", "-e", "import 'koffi'"),
                "koffi is not installed: npm install --prefix bitttt-capi/target koffi");
        Map<String, String> index = Map.of("BITTTT_NODE",
                Programs.DIST.resolve("node").resolve("index.mjs").toString());
        String test = Programs.SOURCES.resolve("node").resolve("test.mjs").toString();
        assertThat(Programs.run(index, List.of(node, test, Programs.models("node").toString()))).isEqualTo("ok\n");
        tellsAStory(Programs.run(Map.of(), List.of(node, EXAMPLES.resolve("story.mjs").toString(), "One day")));
    }
}
