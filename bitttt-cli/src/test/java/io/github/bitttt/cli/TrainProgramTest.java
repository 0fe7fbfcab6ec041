package io.github.bitttt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;

/** What {@code train} takes, refuses, ignores and says. */
class TrainProgramTest {
    private static final List<String> SMALL = List.of("--tokens", "256", "--width", "16", "--layers", "1", "--batch",
            "2", "--window", "32", "--vocabulary", "280");

    @TempDir
    private Path folder;

    private record Run(int code, String out, String err) {}

    private static Run run(List<String> arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commandLine = Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        return new Run(commandLine.execute(arguments.toArray(String[]::new)), out.toString(), err.toString());
    }

    private List<String> small(String name, String... more) {
        List<String> arguments = new ArrayList<>(List.of("train", "--out", folder.resolve(name).toString()));
        arguments.addAll(SMALL);
        arguments.addAll(List.of(more));
        return arguments;
    }

    static Stream<Arguments> ranges() {
        return Stream.of(Arguments.of("--tokens", "0", "tokens must be at least 1, got 0"),
                Arguments.of("--vocabulary", "-5", "--vocabulary must be 257 to 1048576, got -5"),
                Arguments.of("--vocabulary", "256", "--vocabulary must be 257 to 1048576, got 256"),
                Arguments.of("--width", "0", "--width must be 1 to 1048576, got 0"),
                Arguments.of("--layers", "0", "--layers must be 1 to 1048576, got 0"),
                Arguments.of("--inner", "0", "--inner must be 1 to 1048576, got 0"),
                Arguments.of("--inner", "-16", "--inner must be 1 to 1048576, got -16"),
                Arguments.of("--memory", "-1", "--memory must be 1 to 1048576, got -1"),
                Arguments.of("--heads", "0", "--heads must be 1 to 1048576, got 0"),
                Arguments.of("--batch", "0", "batch must be 1 to 1048576, got 0"),
                Arguments.of("--window", "-1", "window must be 1 to 1048576, got -1"),
                Arguments.of("--micro-batch", "0", "micro-batch must be 1 to 1048576, got 0"),
                Arguments.of("--carry", "0", "carry must be 1 to 1048576, got 0"),
                Arguments.of("--repeats", "-0.5", "repeats must be in [0.0, 1.0], got -0.5"),
                Arguments.of("--rate", "0", "learning rate must be in (0.0, 1.0], got 0.0"),
                Arguments.of("--rate", "NaN", "learning rate must be in (0.0, 1.0], got NaN"),
                Arguments.of("--weight-decay", "2", "weight decay must be in [0.0, 1.0], got 2.0"),
                Arguments.of("--dropout", "1", "dropout must be in [0.0, 1.0), got 1.0"),
                Arguments.of("--average", "-0.1", "average must be in [0.0, 1.0), got -0.1"),
                Arguments.of("--patience", "-1", "patience must be at least 0, got -1"),
                Arguments.of("--validate-every", "0", "validation every must be at least 1, got 0"),
                Arguments.of("--validation-tokens", "-1", "validation tokens must be at least 1, got -1"),
                Arguments.of("--checkpoint-every", "0", "checkpoint every must be at least 1, got 0"),
                Arguments.of("--workers", "0", "--workers must be 1 to 2147483647, got 0"),
                Arguments.of("--local-steps", "-2", "--local-steps must be 1 to 2147483647, got -2"));
    }

    @ParameterizedTest(name = "{0} {1}")
    @MethodSource("ranges")
    void numbersOutOfRangeAreRefusedBeforeTheWork(String option, String value, String message) {
        List<String> arguments = new ArrayList<>(List.of("train", "--out", folder.resolve("run").toString()));
        arguments.addAll(List.of(option, value));
        Run run = run(arguments);
        assertThat(run.err()).isEqualTo("bitttt: " + message + System.lineSeparator());
        assertThat(run.code()).isEqualTo(Main.USAGE);
        assertThat(folder.resolve("run")).doesNotExist();
    }

    @Test
    void attentionNeedsHeads() {
        Run run = run(small("run", "--baseline", "attention", "--heads", "0"));
        assertThat(run.err()).isEqualTo("bitttt: --heads must be 1 to 1048576, got 0" + System.lineSeparator());
        assertThat(folder.resolve("run")).doesNotExist();
    }

    /** A text without end tokens is validated by its last tenth. */
    @Test
    void aTextOfOneDocumentHasAValidation() throws IOException {
        Path text = Files.writeString(folder.resolve("one.txt"),
                "One day a cat sat on a mat. It saw the big dog run home quickly.\n".repeat(60));
        Run run = run(small("run", "--data", text.toString()));
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).containsPattern("4 steps, best validation loss [0-9.]+ nats per token")
                .doesNotContain("NaN");
    }

    /** One JSON line cannot be cut: the program says so. */
    @Test
    void withoutValidationItSaysSo() throws IOException {
        Path text = Files.writeString(folder.resolve("one.jsonl"),
                "{\"text\": \"" + "One day a cat sat on a mat. It saw the big dog run home quickly. ".repeat(60)
                        + "\"}\n");
        Run run = run(small("run", "--data", text.toString()));
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).contains("there is no validation text, so the last weights are the model")
                .contains("4 steps, no validation text").doesNotContain("NaN");
        assertThat(run(List.of("train", "--resume", "--out", folder.resolve("run").toString(), "--data",
                text.toString())).code()).isZero();
    }

    @Test
    void optionsThatAreIgnoredAreNamed() throws IOException {
        assertThat(run(small("run", "--workers", "3")).err())
                .contains("bitttt: ignored: --workers; without --spark there is nothing that they mean");
        Run resumed = run(small("run", "--resume", "--rate", "0.1"));
        assertThat(resumed.err()).contains("bitttt: ignored: ", "--rate", "--tokens", "--width")
                .contains("; a resumed run goes on by the options that it began with").doesNotContain("--out");
        Run tuned = run(small("tuned", "--from", folder.resolve("run").toString()));
        assertThat(tuned.code()).as(tuned.err()).isZero();
        assertThat(tuned.err()).contains("bitttt: ignored: --width, --layers, --vocabulary; "
                + "a model that is fine-tuned keeps its sizes, forms and tokenizer");
    }

    /** A name of the zoo, of which only codes ship. */
    @Test
    void whatShipsCanBeFineTuned() throws IOException {
        Path text = Files.writeString(folder.resolve("mine.txt"),
                "Anna had a red umbrella. It was raining.\n".repeat(40));
        Path out = folder.resolve("tuned");
        Run run = run(List.of("train", "--from", Zoo.DEFAULT, "--data", text.toString(), "--out", out.toString(),
                "--tokens", "256", "--batch", "2", "--window", "32", "--rate", "1e-30"));
        assertThat(run.code()).as(run.err()).isZero();
        // At such a rate nothing moves: the folder's codes are those that ship.
        assertThat(Checkpoint.load(out).fingerprint()).isEqualTo(Zoo.checkpoint(Zoo.DEFAULT).fingerprint());
    }
}
