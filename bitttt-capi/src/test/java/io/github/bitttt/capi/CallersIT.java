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
import org.junit.jupiter.api.Test;

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
