package io.github.bitttt.examples;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.StringJoiner;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import jdk.jshell.EvalException;
import jdk.jshell.JShell;
import jdk.jshell.Snippet;
import jdk.jshell.SnippetEvent;
import jdk.jshell.SourceCodeAnalysis.CompletionInfo;
import jdk.jshell.VarSnippet;
import jdk.jshell.execution.LocalExecutionControlProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every notebook: its code runs in JShell, which all Java kernels are made of, and its committed outputs are whole and small. */
public class NotebooksTest {
    private static final Path FOLDER = Path.of("notebooks");
    private static final long MOST_BYTES = 1_000_000;
    private static Object shown;

    static List<Path> notebooks() throws IOException {
        try (Stream<Path> files = Files.list(FOLDER)) {
            return files.filter(file -> file.toString().endsWith(".ipynb")).sorted().toList();
        }
    }

    /** Code cells.
     *
     * @param source  Java
     * @param outputs as committed
     * @param count   execution count; 0 for none */
    private record Cell(String source, JsonNode outputs, int count) {}

    private static List<Cell> cells(Path notebook) throws IOException {
        List<Cell> cells = new ArrayList<>();
        for (JsonNode cell : new ObjectMapper().readTree(notebook.toFile()).get("cells")) {
            if (cell.get("cell_type").asText().equals("code")) {
                StringJoiner source = new StringJoiner("");
                cell.get("source").forEach(line -> source.add(line.asText()));
                cells.add(new Cell(source.toString(), cell.get("outputs"), cell.get("execution_count").asInt()));
            }
        }
        return cells;
    }

    /** Called by a snippet: what a cell's last expression was.
     *  @param value it */
    public static void show(Object value) {
        shown = value;
    }

    @Test
    void thereAreFour() throws IOException {
        assertThat(notebooks()).hasSize(4);
    }

    @ParameterizedTest
    @MethodSource("notebooks")
    void everyCellRuns(Path notebook) throws Exception {
        try (JShell shell = JShell.builder().executionEngine(new LocalExecutionControlProvider(), null)
                .compilerOptions("-classpath", System.getProperty("java.class.path")).build()) {
            for (Cell cell : cells(notebook)) {
                run(shell, cell.source());
                assertThat(shown).as("the value of the cell%n%s", cell.source()).isNotNull();
                if (!(shown instanceof BufferedImage)) {
                    // Other values are printed: one useful line, no address of an object.
                    assertThat(shown.toString()).doesNotContain("\n").doesNotMatch(".*@[0-9a-f]{5,}.*")
                            .hasSizeBetween(5, 250);
                }
            }
        }
    }

    private static void run(JShell shell, String source) throws EvalException {
        shown = null;
        String rest = source;
        while (!rest.isBlank()) {
            CompletionInfo info = shell.sourceCodeAnalysis().analyzeCompletion(rest);
            assertThat(info.completeness().isComplete()).as("complete: %s", rest).isTrue();
            for (SnippetEvent event : shell.eval(info.source())) {
                String problems = String.join("\n",
                        shell.diagnostics(event.snippet()).map(problem -> problem.getMessage(null)).toList());
                assertThat(event.status()).as("%s%n%s", info.source(), problems).isEqualTo(Snippet.Status.VALID);
                if (event.exception() instanceof EvalException thrown) {
                    throw thrown;
                }
                assertThat(event.exception()).as(info.source()).isNull();
                value(shell, event.snippet());
            }
            rest = info.remaining();
        }
    }

    /** An expression's value has a name of JShell's own, or is a variable that it names. */
    private static void value(JShell shell, Snippet snippet) {
        String name = switch (snippet.subKind()) {
            case TEMP_VAR_EXPRESSION_SUBKIND -> ((VarSnippet) snippet).name();
            case VAR_VALUE_SUBKIND -> snippet.source().strip();
            default -> "";
        };
        if (!name.isEmpty()) {
            shell.eval(NotebooksTest.class.getName() + ".show(" + name + ");");
        }
    }

    /** Committed outputs: one for each cell, in order, no error, and pictures that can be read. */
    @ParameterizedTest
    @MethodSource("notebooks")
    void committedOutputsAreWhole(Path notebook) throws IOException {
        assertThat(Files.size(notebook)).isLessThan(MOST_BYTES);
        int count = 0;
        for (Cell cell : cells(notebook)) {
            assertThat(cell.count()).as(cell.source()).isEqualTo(++count);
            assertThat(cell.outputs()).as("outputs of%n%s", cell.source()).hasSize(1);
            JsonNode output = cell.outputs().get(0);
            assertThat(output.get("output_type").asText()).as(cell.source()).isEqualTo("execute_result");
            JsonNode png = output.at("/data/image~1png");
            if (!png.isMissingNode()) {
                byte[] bytes = Base64.getMimeDecoder().decode(png.asText());
                assertThat(ImageIO.read(new ByteArrayInputStream(bytes)).getWidth()).isBetween(100, 1000);
            }
        }
    }
}
