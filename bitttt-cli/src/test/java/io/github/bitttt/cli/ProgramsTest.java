package io.github.bitttt.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** Every program, as its user calls it. */
class ProgramsTest {
    @TempDir
    private Path folder;

    private record Run(int code, String out, String err) {
        JsonNode json() throws IOException {
            assertThat(code).as(err).isZero();
            assertThat(out.strip()).doesNotContain("\n");
            return new ObjectMapper().readTree(out);
        }
    }

    private static Run run(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine commandLine = Main.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
        int code = commandLine.execute(arguments);
        return new Run(code, out.toString(), err.toString());
    }

    private String trained() throws IOException {
        Path out = folder.resolve("run");
        Run run = run("train", "--out", out.toString(), "--tokens", "256", "--width", "16", "--layers", "2", "--batch",
                "2",
                "--window", "32", "--vocabulary", "300", "--checkpoint-every", "2", "--validate-every", "100",
                "--json");
        assertThat(run.json().get("steps").intValue()).isEqualTo(4);
        return out.toString();
    }

    @Test
    void fineTunesOnInstructions() throws IOException {
        String model = trained();
        Path lines = Files.writeString(folder.resolve("lines.jsonl"),
                "{\"prompt\": \"Who sat?\", \"completion\": \" The cat sat on the mat.\"}\n".repeat(40));
        Path tuned = folder.resolve("tuned");
        JsonNode result = run("train", "--from", model, "--data", lines.toString(), "--out", tuned.toString(),
                "--tokens", "6400", "--batch", "2", "--window", "16", "--micro-batch", "1", "--carry", "2", "--average",
                "0.9",
                "--validate-every", "1", "--patience", "2", "--rate", "1e-30", "--label", "tuned", "--json").json();
        // At such a rate no validation is better than the first.
        assertThat(result.get("stopped_early").booleanValue()).isTrue();
        assertThat(result.get("steps").intValue()).isEqualTo(3);
        assertThat(run("inspect", "--model", tuned.toString()).out()).contains("tuned");
        Path packed = folder.resolve("packed-for-tuning");
        run("pack", "--model", model, "--out", packed.toString());
        Path again = folder.resolve("tuned-from-packed");
        JsonNode fromPacked = run("train", "--from", packed.toString(), "--data", lines.toString(), "--out",
                again.toString(), "--tokens", "64", "--batch", "2", "--window", "16", "--json").json();
        assertThat(fromPacked.get("steps").intValue()).isEqualTo(2);
    }

    @Test
    void aMemoryAtTheOutput() throws IOException {
        Path text = Files.writeString(folder.resolve("strange.txt"),
                "2026-01-01 INFO worker finished its job in 12 ms\n".repeat(40));
        JsonNode measured = run("evaluate", "--data", text.toString(), "--adapt", "--json").json();
        double frozen = measured.get("frozen_bits_per_byte").doubleValue();
        double adapted = measured.get("adapted_bits_per_byte").doubleValue();
        assertThat(adapted).isEqualTo(measured.get("bits_per_byte").doubleValue()).isLessThan(0.5 * frozen);
        assertThat(measured.get("counts_bits_per_byte").doubleValue()).isLessThan(frozen);
        assertThat(run("evaluate", "--data", text.toString(), "--json").json().get("bits_per_byte").doubleValue())
                .isEqualTo(frozen);

        Path memory = folder.resolve("learned.memory");
        JsonNode stream = run("stream", "--input", text.toString(), "--adapt", "--save-memory", memory.toString(),
                "--json").json();
        assertThat(stream.get("learning").doubleValue()).isLessThan(0.5 * stream.get("forgetting").doubleValue());
        JsonNode told = run("generate", "--adapt", "--load-memory", memory.toString(), "--prompt", "2026-01-01 INFO",
                "--temperature", "0", "--sequence-penalty", "0", "--tokens", "12", "--json").json();
        assertThat(told.get("text").textValue()).startsWith(" worker finished its job");
        JsonNode without = run("memory", "--json").json();
        JsonNode with = run("memory", "--adapt", "--json").json();
        assertThat(with.get("kept").get(1).doubleValue()).isLessThan(0.8 * without.get("kept").get(1).doubleValue());
        // Emptied before each reading, the memory at the output too.
        assertThat(with.get("reset").get(2).doubleValue()).isEqualTo(with.get("reset").get(0).doubleValue());
        assertThat(run("generate", "--adapt=maybe").err())
                .contains("a memory at the output is standard or counts, got maybe");
    }

    @Test
    void trainThenEverythingElse() throws IOException {
        String model = trained();
        assertThat(Path.of(model, "training", "loss.png")).isNotEmptyFile();
        JsonNode resumed = run("train", "--resume", "--out", model, "--json").json();
        assertThat(resumed.get("steps").intValue()).isEqualTo(4);

        Path text = Files.writeString(folder.resolve("text.txt"), "One day a cat sat.<|endoftext|>The end of the day.");
        JsonNode evaluation = run("evaluate", "--model", model, "--data", text.toString(), "--json").json();
        assertThat(evaluation.get("bytes").intValue()).isEqualTo(37);
        assertThat(evaluation.get("nats_per_token").doubleValue()).isBetween(1.0, 10.0);
        Path curve = folder.resolve("curve.svg");
        assertThat(run("evaluate", "--model", model, "--data", text.toString(), "--plot", curve.toString()).code())
                .isZero();
        assertThat(curve).isNotEmptyFile();
        assertThat(run("evaluate", "--model", model, "--data", text.toString(), "--reset", "never").out())
                .contains("bits per byte");

        JsonNode worth = run("evaluate", "--model", model, "--data", text.toString(), "--memory", "--json").json();
        // The text is shorter than any of the intervals, so all readings are the same.
        assertThat(worth.get("nats_by_reset").get("64")).isEqualTo(worth.get("nats_by_reset").get("4096"));
        assertThat(worth.get("nats_never_reset").doubleValue())
                .isCloseTo(worth.get("nats_by_position").get(0).get("nats").doubleValue(), offset(1e-9));
        assertThat(worth.get("memory_norms")).hasSize(2);
        JsonNode rows = run("evaluate", "--model", model, "--data", text.toString(), "--every", "5", "--json").json()
                .get("rows");
        assertThat(rows.get(0).get("tokens").intValue()).isEqualTo(5);
        assertThat(rows.get(1).get("resident_bytes").longValue()).isGreaterThan(1 << 20);

        Path memory = folder.resolve("memory.safetensors");
        JsonNode story = run("generate", "--model", model, "--tokens", "5", "--save-memory", memory.toString(),
                "--json")
                .json();
        assertThat(story.get("tokens").intValue()).isLessThanOrEqualTo(5);
        assertThat(run("generate", "--model", model, "--tokens", "5", "--load-memory", memory.toString()).out())
                .startsWith("Once upon a time");

        Path packed = folder.resolve("packed");
        JsonNode pack = run("pack", "--model", model, "--out", packed.toString(), "--json").json();
        JsonNode inspect = run("inspect", "--model", packed.toString(), "--json").json();
        assertThat(inspect.get("fingerprint")).isEqualTo(pack.get("fingerprint"));
        assertThat(run("inspect", "--model", packed.toString()).out()).contains("layers.1.ttt.rate.bias");
        assertThat(packed.resolve("generation_config.json")).doesNotExist();
        Path zoo = folder.resolve("packed-zoo");
        run("pack", "--model", "stories-256x4", "--out", zoo.toString());
        assertThat(zoo.resolve("generation_config.json")).content().contains("\"sequence_penalty\": 0.8");

        Path plot = folder.resolve("plot.png");
        JsonNode effect = run("memory", "--model", packed.toString(), "--plot", plot.toString(), "--json").json();
        assertThat(effect.get("pattern_losses")).hasSize(300);
        assertThat(effect.get("kept")).hasSize(3);
        assertThat(effect.get("after_other").isNumber()).isTrue();
        assertThat(plot).isNotEmptyFile();
        assertThat(run("memory", "--model", packed.toString()).out()).contains("memory kept", "after another text");
        JsonNode gain = run("memory", "--model", packed.toString(), "--passages", text.toString(), "--passage-length",
                "8", "--json").json().get("passages");
        assertThat(gain.get("passages").intValue()).isGreaterThan(1);
        assertThat(gain.get("gain").doubleValue()).isCloseTo(
                1 - gain.get("after_itself").doubleValue() / gain.get("after_other").doubleValue(), offset(1e-12));
    }

    @Test
    void attentionReadsWithAWindow() throws IOException {
        String model = folder.resolve("attention").toString();
        run("train", "--out", model, "--baseline", "attention", "--heads", "2", "--tokens", "64", "--width", "16",
                "--layers", "1", "--batch", "2", "--window", "32", "--vocabulary", "300", "--json").json();
        Path text = Files.writeString(folder.resolve("long.txt"), "One day a cat sat on a mat.\n".repeat(20));
        String[] evaluate = {"evaluate", "--model", model, "--data", text.toString(), "--reset", "never", "--json"};
        JsonNode all = run(evaluate).json();
        String[] windowed = Arrays.copyOf(evaluate, evaluate.length + 2);
        windowed[evaluate.length] = "--window";
        windowed[evaluate.length + 1] = "16";
        JsonNode window = run(windowed).json();
        assertThat(window.get("tokens")).isEqualTo(all.get("tokens"));
        assertThat(window.get("nats_per_token").doubleValue())
                .isNotEqualTo(all.get("nats_per_token").doubleValue())
                .isCloseTo(all.get("nats_per_token").doubleValue(), offset(1.0));
        assertThat(run("generate", "--model", model, "--window", "16", "--tokens", "150", "--json").code()).isZero();
        assertThat(run("stream", "--model", model, "--input", text.toString(), "--window", "16", "--json").json()
                .get("lines").intValue()).isEqualTo(20);
        assertError(2, "a window is for attention, got 16 for a model whose layers keep no tokens; leave it out",
                "generate", "--window", "16");
    }

    @ParameterizedTest
    @CsvSource({"naive, 1e-3", "graph, 1e-3"})
    void readingsAgree(String reading, double tolerance) throws IOException {
        String model = trained();
        JsonNode cpu = run("logits", "--model", model, "--tokens", "1,2,3,299", "--json").json().get("logits");
        JsonNode other = run("logits", "--model", model, "--tokens", "1,2,3,299", "--reading", reading, "--json").json()
                .get("logits");
        assertThat(cpu).hasSize(4);
        for (int t = 0; t < 4; t++) {
            for (int i = 0; i < 300; i++) {
                assertThat(other.get(t).get(i).doubleValue()).isCloseTo(cpu.get(t).get(i).doubleValue(),
                        offset(tolerance));
            }
        }
        assertThat(
                run("logits", "--model", model, "--tokens", "1", "--reading", reading, "--json").json().get("logits"))
                .hasSize(1);
    }

    @Test
    void benchMeasuresEverything() throws IOException {
        Path plot = folder.resolve("kernels.png");
        JsonNode figures = run("bench", "--seconds", "0.005", "--plot", plot.toString(), "--json").json();
        assertThat(plot).isNotEmptyFile();
        assertThat(figures.get("gemv")).hasSize(8).allSatisfy(
                figure -> assertThat(figure.get("gmac_per_second").doubleValue()).isPositive());
        assertThat(figures.get("ttt_layer")).extracting(figure -> figure.get("width").intValue()).containsExactly(128,
                256);
        assertThat(figures.get("decode")).hasSize(4)
                .allSatisfy(figure -> assertThat(figure.get("tokens_per_second").doubleValue()).isPositive());
        assertThat(figures.get("prefill")).hasSize(2);
        assertThat(figures.get("first_token_seconds").doubleValue()).isPositive();
        assertThat(figures.get("resident_bytes").longValue()).isGreaterThan(1 << 20);
    }

    @Test
    void benchComparesAllCoresWithOneThread() throws IOException {
        JsonNode figures = run("bench", "--cores", "--json").json();
        assertThat(figures.get("cores")).hasSize(3).allSatisfy(figure -> {
            assertThat(figure.get("all_cores_worst").doubleValue()).isPositive()
                    .isLessThanOrEqualTo(figure.get("all_cores_median").doubleValue());
            assertThat(figure.get("one_thread_worst").doubleValue()).isPositive()
                    .isLessThanOrEqualTo(figure.get("one_thread_median").doubleValue());
        });
    }

    @Test
    void errorsAreOneLine() throws IOException {
        String model = trained();
        assertError(1,
                "nothing: neither a model folder or file nor a name of the zoo; the zoo has [stories-256x4, stories-256x4-18m, stories-256x4-seed]",
                "evaluate",
                "--data", "x", "--model", "nothing");
        assertError(1, model + ": exists already; choose another folder, or go on with its run by --resume", "train",
                "--out",
                model);
        assertError(2, "token ids are 0 to 299, got 300", "logits", "--model", model, "--tokens", "300");
        assertError(2, "temperature must be at least 0, got -1.0", "generate", "--model", model, "--temperature", "-1");
        assertError(2, "--reset must be document, never or a number of tokens, got often", "evaluate", "--model", model,
                "--data", "x", "--reset", "often");
        Path empty = Files.writeString(folder.resolve("empty.txt"), "");
        assertError(2, empty + ": the training text is empty", "train", "--data", empty.toString(), "--out",
                folder.resolve("new").toString());
        assertError(2, empty + ": nothing in it can be predicted: at least 2 tokens are needed, got 0", "evaluate",
                "--model", model, "--data", empty.toString());
        assertError(1, folder.resolve("none") + ": no such file", "evaluate", "--model", model, "--data",
                folder.resolve("none").toString());
        assertThat(run("train").code()).isEqualTo(2);
        assertThat(run("--help").out()).contains("generate", "train", "evaluate", "memory", "logits", "inspect", "pack",
                "import", "bench");
    }

    private static void assertError(int code, String message, String... arguments) {
        Run run = run(arguments);
        assertThat(run.err()).isEqualTo("bitttt: " + message + System.lineSeparator());
        assertThat(run.code()).isEqualTo(code);
        assertThat(run.out()).isEmpty();
    }
}
