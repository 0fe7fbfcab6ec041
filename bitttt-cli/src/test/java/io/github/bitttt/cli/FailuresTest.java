package io.github.bitttt.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.io.OriginalCheckpoint;
import io.github.bitttt.llama.text.BpeTrainer;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** What a user does wrongly costs a line that says what, and never the work: it is said before. */
class FailuresTest {
    private static final Path ORIGINAL = Path.of("..", "bitttt-tests", "src", "test", "resources", "golden",
            "original-rust", "bit_llama_checkpoint.safetensors");

    @TempDir
    private Path folder;

    private record Run(int code, String out, String err) {}

    private static Run run(String... arguments) {
        StringWriter out = new StringWriter();
        Run run = run(new PrintWriter(out), arguments);
        return new Run(run.code(), out.toString(), run.err());
    }

    private static Run run(PrintWriter out, String... arguments) {
        StringWriter err = new StringWriter();
        CommandLine commandLine = Main.commandLine().setOut(out).setErr(new PrintWriter(err));
        return new Run(commandLine.execute(arguments), "", err.toString());
    }

    private static void fails(int code, String message, String... arguments) {
        Run run = run(arguments);
        assertThat(run.err()).isEqualTo("bitttt: " + message + System.lineSeparator());
        assertThat(run.code()).isEqualTo(code);
    }

    private String file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text).toString();
    }

    private String absent(String name) {
        return folder.resolve(name).toString();
    }

    @Test
    void aTextThatIsNotUtf8IsNamedWithLineAndByte() throws IOException {
        Path file = folder.resolve("latin1.txt");
        Files.write(file, "one\ncaf\u00E9 bar\n".getBytes(StandardCharsets.ISO_8859_1));
        String message = file
                + ": must be UTF-8 text, got the byte 0xE9 in line 2, byte 8 of the file; save it as UTF-8 first";
        fails(1, message, "evaluate", "--data", file.toString());
        fails(1, message, "memory", "--text", file.toString());
        fails(1, message, "memory", "--other", file.toString());
        fails(1, message, "memory", "--passages", file.toString());
        fails(1, message, "stream", "--input", file.toString());
        fails(1, message, "train", "--data", file.toString(), "--out", absent("run"));
        fails(1, message, "train", "--validation", file.toString(), "--out", absent("run"));
        fails(1, message, "train", "--tokenizer", file.toString(), "--out", absent("run"));
        fails(1, message, "import", "--original", ORIGINAL.toString(), "--tokenizer", file.toString(), "--out",
                absent("model"));
    }

    @Test
    void aFolderIsNoFile() {
        String message = folder + ": is a folder; name a file";
        for (String[] program : new String[][]{{"evaluate", "--data"}, {"memory", "--text"}, {"stream", "--input"},
                {"generate", "--load-memory"}, {"generate", "--save-memory"}, {"train", "--out", "x", "--data"},
                {"import", "--out", "x", "--original"}}) {
            String[] arguments = Arrays.copyOf(program, program.length + 1);
            arguments[program.length] = folder.toString();
            fails(1, message, arguments);
        }
        String missing = absent("missing.txt");
        fails(1, missing + ": no such file", "evaluate", "--data", missing);
        fails(1, missing + ": no such file", "stream", "--input", missing);
    }

    /** None of these lets the model be loaded: no such model is there. */
    @Test
    void targetsAreCheckedBeforeTheWork() throws IOException {
        Path nowhere = folder.resolve("nodir").resolve("x.mem");
        String message = nowhere + ": the folder " + nowhere.getParent() + " is not there; make it first";
        fails(1, message, "generate", "--model", "none", "--save-memory", nowhere.toString());
        fails(1, message, "stream", "--model", "none", "--save-memory", nowhere.toString());
        String text = file("a.txt", "Once upon a time");
        String kind = "a picture's file ends in .png or .svg, got x.gif";
        fails(2, kind, "stream", "--model", "none", "--plot", "x.gif");
        fails(2, kind, "memory", "--model", "none", "--plot", "x.gif", "--json");
        fails(2, kind, "evaluate", "--model", "none", "--data", text, "--plot", "x.gif");
        fails(2, kind, "bench", "--plot", "x.gif");
        String there = folder + ": exists already; choose another folder or remove it first";
        fails(1, there, "pack", "--model", "none", "--out", folder.toString());
        fails(1, there, "import", "--original", "none", "--out", folder.toString());
        fails(1, text + "/x: " + text + " is no folder", "train", "--out", text + "/x");
    }

    @Test
    void anImportsTokenizerMustBelongToIt() throws IOException {
        String tokenizer = file("three.json", BpeTrainer.train("the cat sat on the mat", 259));
        fails(1, tokenizer + ": has 259 tokens, the checkpoint "
                + vocabulary() + "; give the tokenizer that it was trained with",
                "import", "--original", ORIGINAL.toString(), "--tokenizer", tokenizer, "--out", absent("model"));
        assertThat(folder.resolve("model")).doesNotExist();
    }

    private static int vocabulary() throws IOException {
        return OriginalCheckpoint.convert(ORIGINAL).config().vocabSize();
    }

    @Test
    void twoObjectsOnALineAreRefused() throws IOException {
        String lines = file("two.NDJSON", "{\"text\": \"a\"}\n{\"text\": \"b\"} {\"text\": \"c\"}\n");
        fails(1, lines
                + ": line 2 must be one JSON object and nothing behind it, got {\"text\": \"b\"} {\"text\": \"c\"}",
                "train", "--data", lines, "--out", absent("run"));
    }

    @Test
    void argumentsAreText() throws IOException {
        String file = file("word", "dog");
        for (String prompt : new String[]{"@" + file, "--tokens", "--tokens=5", "-h"}) {
            Run run = run("generate", "--prompt=" + prompt, "--tokens", "0", "--json");
            assertThat(new ObjectMapper().readTree(run.out()).get("prompt").asText()).isEqualTo(prompt);
        }
        Run run = run("generate", "--prompt", "@" + file, "--tokens", "0", "--json");
        assertThat(new ObjectMapper().readTree(run.out()).get("prompt").asText()).isEqualTo("@" + file);
    }

    @Test
    void nothingToPredictIsSaid() throws IOException {
        for (String text : new String[]{"", "a"}) {
            String file = file("short.txt", text);
            fails(2, file + ": nothing in it can be predicted: at least 2 tokens are needed, got " + text.length(),
                    "evaluate", "--data", file, "--plot", absent("x.png"), "--json");
            fails(2, file + ": nothing in it can be predicted: at least 2 tokens are needed, got " + text.length(),
                    "evaluate", "--data", file, "--every", "5");
        }
        String ends = file("ends.txt", "<|endoftext|>".repeat(3));
        fails(2, ends + ": nothing in it can be predicted: it has end markers only", "evaluate", "--data", ends);
        String letters = file("letters.txt", "a<|endoftext|>b");
        fails(2, letters + ": none of its documents has 2 tokens, so --plot has nothing to draw", "evaluate", "--data",
                letters, "--plot", absent("x.png"));
        assertThat(run("evaluate", "--data", letters, "--json").out()).doesNotContain("Infinity", "NaN");
    }

    @ParameterizedTest
    @ValueSource(strings = {"de-DE", "ar-EG-u-nu-arab", "hi-IN-u-nu-deva", "fr-FR"})
    void digitsAreTheSameEverywhere(String where) throws IOException {
        Locale before = Locale.getDefault();
        String story = file("story.txt", "Once upon a time there was a cat.\n");
        try {
            Locale.setDefault(Locale.ROOT);
            String stream = run("stream", "--input", story).out();
            String memory = run("memory", "--text", story).out();
            String inspected = run("inspect").out();
            Locale.setDefault(Locale.forLanguageTag(where));
            assertThat(run("stream", "--input", story).out()).isEqualTo(stream).contains(".");
            assertThat(run("memory", "--text", story).out()).isEqualTo(memory);
            assertThat(run("inspect").out()).isEqualTo(inspected);
        } finally {
            Locale.setDefault(before);
        }
    }

    /** A standard output that takes so many characters and no more. */
    private static PrintWriter full(int room) {
        return new PrintWriter(new Writer() {
            private int taken;

            @Override
            public void write(char[] text, int from, int length) throws IOException {
                taken += length;
                if (taken > room) {
                    throw new IOException("No space left on device");
                }
            }

            @Override
            public void flush() {
                // Nothing is kept back.
            }

            @Override
            public void close() {
                // Nothing to close.
            }
        });
    }

    @Test
    void lostOutputIsAFailure() throws IOException {
        String story = file("story.txt", "Once upon a time there was a cat.\n".repeat(1000));
        String memory = absent("x.mem");
        for (String[] arguments : new String[][]{{"inspect"}, {"inspect", "--json"}, {"--help"}, {"--version"},
                {"generate", "--tokens", "3"}, {"generate", "--tokens", "3", "--json"},
                {"stream", "--input", story, "--save-memory", memory}}) {
            Run run = run(full(0), arguments);
            assertThat(run.err()).as(arguments[0]).endsWith("bitttt: " + LostOutputException.MESSAGE
                    + System.lineSeparator());
            assertThat(run.code()).isEqualTo(1);
        }
        assertThat(Path.of(memory)).exists();
    }

    /** A thousand lines would take seconds; the reader leaves after some. */
    @Test
    void aStreamEndsWhenItsReaderHasGone() throws IOException {
        String endless = file("long.txt", "Once upon a time there was a cat.\n".repeat(100_000));
        long start = System.nanoTime();
        assertThat(run(full(300), "stream", "--input", endless).code()).isEqualTo(1);
        assertThat(System.nanoTime() - start).isLessThan(20_000_000_000L);
    }

    @Test
    void aTerminalGetsNoControlCharacters() {
        assertThat(run("generate", "--prompt", "\u001B]0;x\u0007 a", "--tokens", "0").out()).startsWith("␛]0;x␇ a");
    }

    @Test
    void errorsOfTheJvmAreALine() {
        assertThat(Failures.message(new OutOfMemoryError("Java heap space"))).get().asString()
                .startsWith("out of memory (Java heap space): the work does not fit into the ")
                .endsWith(" MB that this Java may use; give it more, as JAVA_OPTIONS=-Xmx8g, or take a smaller input");
        assertThat(Failures.message(new ExceptionInInitializerError(new IllegalArgumentException("kernels"))))
                .contains("kernels");
        assertThat(Failures.message(new ExecutionException(new UncheckedIOException(new IOException("x")))))
                .contains("x");
        assertThat(Failures.message(new UnsatisfiedLinkError("libx.so")))
                .contains("a native library cannot be loaded: libx.so");
        assertThat(Failures.message(new StackOverflowError())).isPresent();
        assertThat(Failures.message(new NullPointerException())).isEmpty();
        assertThat(Failures.message(new AssertionError("ours"))).isEmpty();
    }
}
