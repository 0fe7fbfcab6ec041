package io.github.bitttt.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.measure.Evaluation;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class SparkModelTest {
    private static final StructType LETTERS = new StructType().add("writer", DataTypes.StringType)
            .add("day", DataTypes.IntegerType).add("text", DataTypes.StringType);

    private static TestCluster cluster;
    private static SparkSession spark;
    private static Model model;
    private static SparkModel shared;

    @BeforeAll
    static void start() throws IOException {
        cluster = TestCluster.local();
        spark = cluster.spark();
        Zoo.Entry entry = Zoo.load(Zoo.DEFAULT);
        Checkpoint packed = entry.checkpoint().pack();
        model = Model.of(packed, entry.tokenizer());
        shared = SparkModel.broadcast(spark, packed, entry.tokenizer());
        shared.register();
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    /** Documents of the sample: by SQL, on partitions, and by one process as one stream. */
    @Test
    void perplexityOfACorpusIsThatOfOneProcess() throws IOException {
        List<String> documents = TinyStories.documents().subList(0, 30);
        String stream = Tokenizer.END_OF_TEXT + String.join(Tokenizer.END_OF_TEXT, documents) + Tokenizer.END_OF_TEXT;
        double alone = Evaluation.of(model, stream, new Evaluation.Reset.Document()).natsPerToken();
        Dataset<Row> texts = spark.createDataset(documents, Encoders.STRING()).toDF("text")
                .repartition(4);
        texts.createOrReplaceTempView("stories");
        double sql = spark.sql("select sum(e.nats) / sum(e.tokens) from (select bitttt_evaluate(text) e from stories)")
                .first().getDouble(0);
        Row sums = shared.evaluate(texts, "text", Sessions.perRow())
                .selectExpr("sum(nats) / sum(tokens)", "sum(tokens)")
                .first();
        assertThat(sql).isCloseTo(alone, offset(1e-9));
        assertThat(sums.getDouble(0)).isCloseTo(alone, offset(1e-9));
        assertThat(sums.getLong(1)).isEqualTo(model.tokenizer().encode(stream).length - 1);
    }

    @Test
    void sqlWritesWhatASessionWrites() {
        String text = spark.sql("select bitttt_generate('Once upon a time', '{\"max_new_tokens\": 12, \"seed\": 7}')")
                .first().getString(0);
        try (Session session = model.newSession()) {
            assertThat(text).isNotBlank().isEqualTo(session
                    .generate("Once upon a time", model.defaults().withMaxNewTokens(12).withSeed(7)).result().text());
        }
        Row row = spark.sql("select bitttt_perplexity('The cat sat.'), bitttt_perplexity(null), bitttt_evaluate(null), "
                + "bitttt_generate(null, null)").first();
        assertThat(row.getDouble(0)).isEqualTo(Reader.evaluate(model, "The cat sat.").getDouble(2));
        assertThat(row.isNullAt(1) && row.isNullAt(2) && row.isNullAt(3)).isTrue();
    }

    /** With a key the messages are one conversation, else each is one of its own. */
    @Test
    void messagesAreAnswered() {
        String options = "{\"max_new_tokens\": 9, \"seed\": 7}";
        Row sql = spark.sql("select bitttt_chat('Who are you?', '" + options + "'), bitttt_chat(null)").first();
        List<Row> rows = shared.chat(letters(), "text", new Writing(options), Sessions.perKey("writer", "day"))
                .where("writer = 'ben'").orderBy("day").collectAsList();
        try (Session session = model.newSession(); Session other = model.newSession()) {
            assertThat(sql.getString(0)).isEqualTo(Reader.chat(session, "Who are you?", new Writing(options)));
            assertThat(sql.isNullAt(1)).isTrue();
            assertThat(rows).isNotEmpty();
            for (Row row : rows) {
                assertThat(row.<String>getAs("answer"))
                        .isEqualTo(Reader.chat(other, row.getAs("text"), new Writing(options)));
            }
        }
    }

    /** Literals as people type them: 0.8 is a DECIMAL, 7 an INT, and columns are of any numeric type. */
    @Test
    void argumentsAreCastAsSqlCasts() {
        String expected = Reader.generate(model, "Once", new Writing(5, 0.8, 7));
        for (String arguments : List.of("5, 0.8, 7", "5L, 0.8D, 7L", "5S, cast(0.8 as decimal(3, 2)), 7Y",
                "int(5), '0.8', 7")) {
            assertThat(spark.sql("select bitttt_generate('Once', " + arguments + ")").first().getString(0))
                    .as(arguments).isEqualTo(expected);
        }
        assertThat(spark.sql("select bitttt_generate(p, n, t, s) from values ('Once', 5, 0.8, 7) as v(p, n, t, s)")
                .first().getString(0)).isEqualTo(expected);
    }

    @Test
    void anyNullGivesNull() {
        Row row = spark.sql("select bitttt_generate(null, 5, 0.8, 1), bitttt_generate('Once', null, 0.8, 1), "
                + "bitttt_generate('Once', 5, null, 1), bitttt_generate('Once', 5, 0.8, null)").first();
        for (int column = 0; column < row.size(); column++) {
            assertThat(row.isNullAt(column)).as("column %d", column).isTrue();
        }
    }

    @Test
    void whatCannotBeCastIsRefusedWhenTheQueryIsPlanned() {
        for (String query : List.of("select bitttt_generate('Once', 5, 0.8, array(1))",
                "select bitttt_generate('Once', 5, map('a', 1), 1)", "select bitttt_perplexity()")) {
            assertThatThrownBy(() -> spark.sql(query)).as(query).isInstanceOf(AnalysisException.class);
        }
        for (String column : List.of("array('a')", "map('a', 'b')", "struct('a')", "5", "0.5D", "true",
                "date '2026-01-01'")) {
            for (String function : List.of("bitttt_perplexity", "bitttt_evaluate", "bitttt_generate")) {
                assertThatThrownBy(() -> spark.sql("select " + function + "(" + column + ")")).as(function + column)
                        .isInstanceOf(AnalysisException.class);
            }
        }
        assertThat(spark.sql("select bitttt_perplexity(cast('a' as varchar(5))), bitttt_perplexity(null)").first()
                .isNullAt(0))
                .isFalse();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> shared.evaluate(letters(), "day", Sessions.perRow()))
                .withMessage("column day must be of type string, got int; cast it first");
    }

    /** As strict as texts of files: no U+FFFD without a word. */
    @Test
    void aTextThatIsNotUtf8IsRefused() {
        assertThatThrownBy(() -> spark.sql("select bitttt_perplexity(X'436166E9')").first())
                .hasStackTraceContaining("MALFORMED_CHARACTER_CODING");
        assertThat(spark.sql("select bitttt_perplexity('Zo\u00eb \ud83d\udc08')").first().getDouble(0))
                .isEqualTo(Reader.evaluate(model, "Zo\u00eb \ud83d\udc08").getDouble(2));
    }

    private static Dataset<Row> letters() {
        List<Row> rows = new ArrayList<>();
        for (int day = 0; day < 6; day++) {
            rows.add(RowFactory.create("anna", day, "Zorbulax the grimbly fop sat on Quandle day " + day % 2 + "."));
            rows.add(RowFactory.create("ben", day, "The dog " + day + " ran to the park."));
            rows.add(RowFactory.create(null, day, "Nobody wrote number " + day + "."));
        }
        return spark.createDataFrame(rows, LETTERS).repartition(5);
    }

    /** A memory follows its key in the order asked for, and no other row changes it. */
    @Test
    void aMemoryFollowsAKey() {
        List<Row> perKey = shared.evaluate(letters(), "text", Sessions.perKey("writer", "day")).orderBy("writer", "day")
                .collectAsList();
        List<Row> perRow = shared.evaluate(letters(), "text", Sessions.perRow()).orderBy("writer", "day")
                .collectAsList();
        Object writer = "nobody yet";
        Session session = model.newSession();
        for (Row row : perKey) {
            if (!Objects.equals(writer, row.get(0))) {
                writer = row.get(0);
                session = model.newSession();
            }
            assertThat(row.getDouble(3)).isEqualTo(Reader.evaluate(session, row.getString(2)).getDouble(0));
        }
        // Once the strange words were read, they surprise less; without the memory they never do.
        List<Double> learned = nats(perKey);
        List<Double> forgotten = nats(perRow);
        assertThat(learned.get(0)).isEqualTo(forgotten.get(0));
        assertThat(forgotten.get(2)).isEqualTo(forgotten.get(0));
        assertThat(learned.get(4)).isLessThan(0.9 * forgotten.get(4));
    }

    /** A memory at the output follows the key as well, and does not go from one key to the next. */
    @Test
    void anOutputMemoryFollowsAKey() {
        SparkModel adapted = shared.withOutputMemory("counts");
        List<Row> rows = adapted.evaluate(letters(), "text", Sessions.perKey("writer", "day")).orderBy("writer", "day")
                .collectAsList();
        Model counting = model.withOutputMemory(OutputMemory.counts());
        Object writer = "nobody yet";
        Session session = counting.newSession();
        for (Row row : rows) {
            if (!Objects.equals(writer, row.get(0))) {
                writer = row.get(0);
                session = counting.newSession();
            }
            assertThat(row.getDouble(3)).isEqualTo(Reader.evaluate(session, row.getString(2)).getDouble(0));
        }
        List<Double> without = nats(shared.evaluate(letters(), "text", Sessions.perKey("writer", "day"))
                .orderBy("writer", "day").collectAsList());
        assertThat(nats(rows).get(4)).isLessThan(without.get(4));
        assertThatThrownBy(() -> shared.withOutputMemory("much")).hasMessage(
                "a memory at the output is standard or counts, got much");
    }

    private static List<Double> nats(List<Row> rows) {
        return rows.stream().filter(row -> "anna".equals(row.get(0))).map(row -> row.getDouble(3)).toList();
    }

    @Test
    void partitionsWriteWhatRowsWrite() {
        Writing writing = new Writing(8, 0.8, 3);
        Dataset<Row> written = shared.generate(letters(), "text", writing, Sessions.perRow());
        assertThat(written.columns()).containsExactly("writer", "day", "text", "generated");
        for (Row row : written.collectAsList()) {
            assertThat(row.getString(3)).isEqualTo(Reader.generate(model, row.getString(2), writing));
        }
        List<Row> perKey = shared.generate(letters(), "text", writing, Sessions.perKey("writer", "day"))
                .where("writer = 'ben'").orderBy("day").collectAsList();
        try (Session session = model.newSession()) {
            for (Row row : perKey) {
                assertThat(row.getString(3)).isEqualTo(Reader.generate(session, row.getString(2), writing));
            }
        }
    }

    @Test
    void namesWhatIsWrong() {
        assertThatIllegalArgumentException().isThrownBy(() -> new Writing(-1, 0, 0))
                .withMessage("max_new_tokens must be at least 0, got -1");
        assertThatIllegalArgumentException().isThrownBy(() -> new Writing(1, -1, 0))
                .withMessage("temperature must be at least 0, got -1.0");
        assertThat(shared.toString()).startsWith("SparkModel[Model[").endsWith(" bytes]");
        assertThat(shared.bytes()).isLessThan(2_000_000);
    }
}
