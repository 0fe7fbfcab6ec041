package io.github.bitttt.examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each example, run as its reader would, does what its page says. */
class ProgramsTest {
    private interface Program {
        void run(String... arguments) throws Exception;
    }

    private static String output(Program program, Object... arguments) throws Exception {
        PrintStream console = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try {
            program.run(Stream.of(arguments).map(Object::toString).toArray(String[]::new));
        } finally {
            System.setOut(console);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    private static double[] numbers(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertThat(matcher.find()).as(text).isTrue();
        double[] numbers = new double[matcher.groupCount()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = Double.parseDouble(matcher.group(i + 1));
        }
        return numbers;
    }

    @Test
    void whatWasReadIsRemembered() throws Exception {
        String out = output(Remember::main);
        double[] nats = numbers(out, "a stranger ([0-9.]+), who has read it ([0-9.]+), and read it twice ([0-9.]+)\n");
        assertThat(nats[1]).isLessThan(0.9 * nats[0]);
        assertThat(nats[2]).isLessThan(nats[1]);
        assertThat(out).containsPattern("the memory: [0-9,]+ bytes\n$");
    }

    @Test
    void linesOfAStrangeFormAreLearned(@TempDir Path folder) throws Exception {
        StringBuilder log = new StringBuilder();
        for (int i = 0; i < 64; i++) {
            log.append(
                    String.format("2026-01-01 10:%02d:07 INFO worker-%d finished job %d in 12 ms%n", i % 60, i % 4, i));
        }
        Path file = Files.writeString(folder.resolve("a.log"), log);
        String out = output(LearnOnline::main, file);
        assertThat(out.lines()).hasSize(7);
        double[] last = numbers(out, "to line 64: ([0-9.]+) nats per token frozen, ([0-9.]+) learning");
        assertThat(last[1]).isLessThan(0.5 * last[0]);
        assertThatThrownBy(() -> LearnOnline.main(new String[0])).hasMessage(
                "one argument is needed, a file of lines, got 0");
    }

    @Test
    void aModelOfOnesOwn(@TempDir Path folder) throws Exception {
        Path text = Files.writeString(folder.resolve("mine.txt"),
                "The robot said beep. The robot went to the moon and said beep again.\n".repeat(200));
        Path model = folder.resolve("model");
        String out = output(FineTune::main, text, model, 20_480);
        double first = numbers(out, "step 10: ([0-9.]+) nats per token")[0];
        double last = numbers(out, "step 20: ([0-9.]+) nats per token")[0];
        assertThat(last).isLessThan(first).isLessThan(1);
        assertThat(model.resolve("model.safetensors")).exists();
        assertThat(out.lines().filter(line -> !line.startsWith("step")).mapToInt(String::length).sum())
                .isGreaterThan(100);
        assertThatThrownBy(() -> FineTune.main(new String[]{"a"})).hasMessage(
                "three arguments are needed, TEXT FOLDER TOKENS, got 1");
    }

    @Test
    void likeFindsLike(@TempDir Path folder) throws Exception {
        List<String> texts = List.of("Tom was sad. He cried because he lost his ball.",
                "The sun is hot. The sky is blue. Birds fly high in the sky.",
                "Sue was sad. She cried because she lost her doll.",
                "The moon is bright. The sky is dark. Stars shine high in the sky.");
        Path file = Files.write(folder.resolve("texts.csv"), texts.stream().map(t -> '"' + t + '"').toList());
        assertThat(output(FeaturePipeline::main, file).lines()).containsExactly(
                texts.get(0) + "  ~  " + texts.get(2), texts.get(1) + "  ~  " + texts.get(3),
                texts.get(2) + "  ~  " + texts.get(0), texts.get(3) + "  ~  " + texts.get(1));
    }

    /** An example is read on one screen. */
    @Test
    void oneScreenEach() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("src/main/java/io/github/bitttt/examples"))) {
            for (Path file : files.toList()) {
                assertThat(Files.readAllLines(file)).as(file.toString()).hasSizeLessThan(72);
            }
        }
    }

    /** The page names each example and nothing else. */
    @Test
    void thePageKnowsThem() throws IOException {
        String page = Files.readString(Path.of("../docs/how-to/examples.md"));
        List<String> named = Pattern.compile("examples/(\\w+)\\.java\\)").matcher(page).results().map(m -> m.group(1))
                .sorted().toList();
        try (Stream<Path> files = Files.list(Path.of("src/main/java/io/github/bitttt/examples"))) {
            assertThat(named).isEqualTo(files.map(file -> file.getFileName().toString().replace(".java", ""))
                    .filter(name -> !name.equals("package-info")).sorted().toList());
        }
    }
}
