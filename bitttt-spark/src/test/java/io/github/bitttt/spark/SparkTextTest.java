package io.github.bitttt.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
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
}
