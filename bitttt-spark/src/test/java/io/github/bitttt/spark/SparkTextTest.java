package io.github.bitttt.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import java.util.zip.GZIPOutputStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SparkTextTest {
    private static TestCluster cluster;
    private static SparkSession spark;
    private static Tokenizer tokenizer;

    @BeforeAll
    static void start() throws IOException {
        cluster = TestCluster.local();
        spark = cluster.spark();
        tokenizer = TinyStories.tokenizer();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    /** Windows of one text are what one process would cut, however the text came to the executors. */
    @Test
    void windowsAreThoseOfOneStream() throws IOException {
        List<String> few = TinyStories.documents().subList(0, 60);
        int[] stream = tokenizer.encode(String.join(Tokenizer.END_OF_TEXT, few) + Tokenizer.END_OF_TEXT);
        Dataset<Row> tokens = SparkText.tokens(spark.createDataset(few, Encoders.STRING()), tokenizer);
        List<Row> rows = SparkText.windows(tokens, 33, 5).collectAsList();
        assertThat(rows).hasSize((stream.length - 1) / 33);
        for (Row row : rows) {
            int start = (int) row.getLong(1) * 33;
            assertThat(SparkText.ints(row, 2)).containsExactly(Arrays.copyOfRange(stream, start, start + 34));
        }
        assertThat(rows).extracting(row -> row.getLong(0))
                .containsExactlyElementsOf(LongStream.range(0, rows.size()).boxed().toList());
        List<Long> order = rows.stream().map(row -> row.getLong(1)).toList();
        assertThat(order).doesNotHaveDuplicates().isNotEqualTo(order.stream().sorted().toList());
        Dataset<Row> scattered = tokens.repartition(5, functions.col("ids"));
        assertThat(SparkText.windows(scattered, 33, 5).collectAsList()).isEqualTo(rows);
        assertThat(SparkText.windows(tokens, 33, 6).collectAsList()).isNotEqualTo(rows);
    }

    @Test
    void windowsLongerThanDocumentsJoinThem() {
        Dataset<Row> tokens = SparkText.tokens(spark.createDataset(List.of("a", "b", "", "cat"), Encoders.STRING()),
                tokenizer);
        int[] stream = tokenizer.encode("a<|endoftext|>b<|endoftext|><|endoftext|>cat<|endoftext|>");
        List<Row> rows = SparkText.windows(tokens, stream.length - 1, 1).collectAsList();
        assertThat(rows).hasSize(1);
        assertThat(SparkText.ints(rows.getFirst(), 2)).containsExactly(stream);
        assertThat(SparkText.windows(tokens, stream.length, 1).collectAsList()).isEmpty();
        assertThatIllegalArgumentException().isThrownBy(() -> SparkText.windows(tokens, 0, 1))
                .withMessage("window must be at least 1 token, got 0");
    }

    @Test
    void documentsStandBetweenEndTokensAndWindowsGoThroughParquet(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("text.txt");
        Files.writeString(file, "One cat.\n<|endoftext|>\nTwo cats.\n<|endoftext|>\nA dog.\n");
        Dataset<String> documents = SparkText.documents(spark, file.toString());
        assertThat(documents.collectAsList()).containsExactly("One cat.\n", "\nTwo cats.\n", "\nA dog.\n");
        Dataset<Row> windows = SparkText.windows(SparkText.tokens(documents, tokenizer), 5, 1);
        String parquet = folder.resolve("windows.parquet").toString();
        SparkText.write(windows, parquet);
        assertThat(SparkText.read(spark, parquet).collectAsList()).isEqualTo(windows.collectAsList()).isNotEmpty();
    }

    /** As every other door of bitttt: refused by file, line and byte, not read as U+FFFD. */
    @Test
    void whatIsNotUtf8IsRefusedByFileLineAndByte(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("a b.txt");
        Files.write(file, "One cat.\n<|endoftext|>\nCaf\u00e9 au lait.\n<|endoftext|>end"
                .getBytes(StandardCharsets.ISO_8859_1));
        String message = file
                + ": must be UTF-8 text, got the byte 0xE9 in line 3, byte 27 of the file; save it as UTF-8 first";
        assertThatThrownBy(() -> SparkText.documents(spark, file.toString()).collectAsList())
                .hasStackTraceContaining(message);
        assertThatThrownBy(() -> SparkText.tokens(SparkText.documents(spark, folder.toString()), tokenizer).count())
                .hasStackTraceContaining(message);
        Path packed = folder.resolve("packed.txt.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(packed))) {
            out.write(Files.readAllBytes(file));
        }
        assertThatThrownBy(() -> SparkText.documents(spark, packed.toString()).collectAsList())
                .hasStackTraceContaining(packed + ": must be UTF-8 text, got the byte 0xE9 in line 3, byte 27");
    }

    @Test
    void aMarkAtTheBeginningOfAFileIsNoText(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("1.txt"), "\uFEFFone<|endoftext|>\uFEFFtwo");
        Files.writeString(folder.resolve("2.txt"), "\uFEFFthree \ud83d\udc08");
        assertThat(SparkText.documents(spark, folder.toString()).collectAsList())
                .containsExactlyInAnyOrder("one", "\uFEFFtwo", "three \ud83d\udc08");
    }

    @Test
    void otherColumnsAreRefusedBeforeAnythingRuns() {
        Dataset<Row> texts = spark.createDataset(List.of("a"), Encoders.STRING()).toDF("ids")
                .withColumn("document", functions.lit(1L));
        assertThatIllegalArgumentException().isThrownBy(() -> SparkText.windows(texts, 5, 1))
                .withMessage("tokens must have a column ids of type array<int>, got one of type string");
        assertThatIllegalArgumentException().isThrownBy(() -> SparkText.windows(texts.drop("document"), 5, 1))
                .withMessage("tokens must have a column document of type bigint, got columns [ids]");
        assertThatIllegalArgumentException().isThrownBy(() -> SparkText.write(texts, "/no/such/folder"))
                .withMessageStartingWith("windows must have a column position of type bigint, got columns");
    }
}
