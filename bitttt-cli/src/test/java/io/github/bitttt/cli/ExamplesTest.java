package io.github.bitttt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.zoo.Samples;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import picocli.CommandLine;

/** The example programs, with the embedded model. */
class ExamplesTest {
    @TempDir
    private Path folder;

    private record Run(int code, String out, String err) {}

    private static Run run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commandLine = Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        return new Run(commandLine.execute(arguments), out.toString(), err.toString());
    }

    private static JsonNode json(String... arguments) throws IOException {
        Run run = run(arguments);
        assertThat(run.code()).as(run.err()).isZero();
        return new ObjectMapper().readTree(run.out());
    }

    @Test
    void aStreamIsLearned() throws IOException {
        Path plot = folder.resolve("stream.svg");
        Path memory = folder.resolve("memory.safetensors");
        JsonNode all = json("stream", "--plot", plot.toString(), "--save-memory", memory.toString(), "--json");
        assertThat(all.get("learning").doubleValue()).isLessThan(all.get("forgetting").doubleValue() * 0.95);
        assertThat(plot).isNotEmptyFile();

        Path story = Files.writeString(folder.resolve("story.txt"), Samples.story());
        double fresh = json("stream", "--input", story.toString(), "--json").get("learning").doubleValue();
        double again = json("stream", "--input", story.toString(), "--load-memory", memory.toString(), "--json")
                .get("learning").doubleValue();
        assertThat(again).isLessThan(fresh * 0.95);

        Run printed = run("stream", "--input", story.toString(), "--limit", "2");
        assertThat(printed.out().lines()).hasSize(4);
        Path empty = Files.writeString(folder.resolve("empty.txt"), "\n\n");
        assertThat(run("stream", "--input", empty.toString()).err())
                .isEqualTo("bitttt: the stream has no line of at least two tokens" + System.lineSeparator());
    }

    @Test
    void aPipelineTellsTextsApart() throws IOException {
        JsonNode result = json("pipeline", "--texts", "120", "--json");
        assertThat(result.get("accuracy").doubleValue()).isGreaterThan(0.8);
        // The weight of the mean surprise says that exchanged words surprise more.
        assertThat(result.get("weights").get(0).doubleValue() + result.get("weights").get(1).doubleValue())
                .isPositive();
        assertThat(run("pipeline", "--texts", "100000").err()).contains("can be cut from the sample, got 100000 of 48");
    }

    @Test
    void featuresAreThoseOfASession() throws IOException {
        Model model = Model.load(Zoo.DEFAULT);
        int[] ids = model.tokenizer().encode("Once upon a time there was a cat");
        INDArray features = Pipeline.features(model, Nd4j.createFromArray(new int[][]{ids, ids}));
        assertThat(features.dataType()).isEqualTo(DataType.FLOAT);
        assertThat(features.shape()).containsExactly(2, 6);
        assertThat(features.getRow(0)).isEqualTo(features.getRow(1));
        try (Session session = model.newSession()) {
            session.feed(ids);
            assertThat(features.getDouble(0, 5)).isEqualTo((float) session.memoryNorms()[3]);
        }
    }

    @ParameterizedTest
    @CsvSource({"rapaio, RJK_CLASSPATH", "jjava, JJAVA_CLASSPATH", "ijava, IJAVA_CLASSPATH"})
    void aKernelIsPrepared(String kernel, String variable) throws IOException {
        Path bundle = Files.writeString(folder.resolve(Notebook.BUNDLE), "a jar");
        Path jar = Files.writeString(folder.resolve("kernel.jar"), "another");
        JsonNode result = json("notebook", "--folder", folder.toString(), "--kernel", kernel, "--kernel-jar",
                jar.toString(), "--json");
        JsonNode spec = new ObjectMapper().readTree(Path.of(result.get("kernel").asText()).toFile());
        assertThat(spec.at("/env/" + variable).asText()).isEqualTo(bundle.toString());
        List<String> command = spec.get("argv").valueStream().map(JsonNode::asText).toList();
        assertThat(command).contains("--add-modules=jdk.incubator.vector").endsWith("-jar", jar.toString(),
                "{connection_file}");
        assertThat(Path.of(command.getFirst())).isExecutable();
    }

    @Test
    void saysWhichJarIsMissing() throws IOException {
        Path bundle = folder.resolve(Notebook.BUNDLE);
        assertThat(run("notebook", "--folder", folder.toString()).err())
                .contains(bundle + ": no such file; the bundle is made by ./bitttt notebook");
        Files.writeString(bundle, "a jar");
        assertThat(run("notebook", "--folder", folder.toString(), "--kernel", "ijava").err())
                .contains("--kernel-jar is needed for ijava: its jar is on its release page, not on Maven Central");
    }
}
