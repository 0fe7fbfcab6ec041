package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class StoryTest {
    private static final Path CLASSES = Path.of("target", "classes");
    private static final Path LIB = Path.of("target", "lib");

    private static String story(List<String> start) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(start);
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String output = new String(process.getInputStream().readAllBytes());
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    @Test
    void onTheClassPathAndOnTheModulePath() throws Exception {
        String classPath = story(List.of("--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-cp", CLASSES + ":" + LIB + "/*",
                "example.Story"));
        // ALL-MODULE-PATH: an automatic module cannot say that it needs Jackson and SLF4J, which are named ones.
        String modulePath = story(List.of("--add-modules=jdk.incubator.vector,ALL-MODULE-PATH",
                "--enable-native-access=ai.djl.tokenizers,ai.djl.api,com.sun.jna,io.github.bitttt.tensor",
                "-p", CLASSES + ":" + LIB, "-m", "example.inference/example.Story"));
        String text = classPath.substring(0, classPath.lastIndexOf("unnamed module"));
        assertTrue(text.length() > 100, classPath);
        assertEquals(text, modulePath.substring(0, modulePath.lastIndexOf("module io.github.bitttt.llama")));
    }

    @Test
    void aUserWhoRunsModelsGetsFewJars() throws IOException {
        try (Stream<Path> files = Files.list(LIB)) {
            List<String> jars = files.map(file -> file.getFileName().toString()).sorted().toList();
            assertFalse(jars.stream().anyMatch(name -> name.matches("(nd4j|datavec|javacpp|openblas).*")), jars.toString());
            List<String> foreign = jars.stream().filter(name -> !name.startsWith("bitttt-")).toList();
            assertTrue(foreign.size() <= 8, foreign.toString());
        }
    }
}
