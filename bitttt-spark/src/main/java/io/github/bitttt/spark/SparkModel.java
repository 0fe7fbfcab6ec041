package io.github.bitttt.spark;

import static org.apache.spark.sql.functions.col;

import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.IOException;
import java.io.Serializable;
import java.util.Iterator;
import java.util.Objects;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.StreamSupport;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.api.java.UDF4;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructType;

/**
 * A model on all executors: batch generation and perplexity, as SQL functions and on Datasets.
 *
 * <p>The model travels once to each executor and is read there once; give it packed, which is about a sixth of the masters'
 * bytes.
 *
 * <pre>{@code
 * SparkModel model = SparkModel.broadcast(spark, Zoo.load("stories-256x4"));
 * model.register();
 * spark.sql("select prompt, bitttt_generate(prompt, '{"max_new_tokens": 40}') from prompts").show();
 * spark.sql("select question, bitttt_chat(question, '{"max_new_tokens": 40}') from questions").show();
 * spark.sql("select exp(sum(e.nats) / sum(e.tokens)) from (select bitttt_evaluate(text) e from stories)").show();
 * model.evaluate(letters, "text", Sessions.perKey("writer", "date")).show();
 * }</pre>
 */
public final class SparkModel {
    private static final StructType EVALUATION = new StructType().add("nats", DataTypes.DoubleType)
            .add("tokens", DataTypes.LongType).add("perplexity", DataTypes.DoubleType);

    private static final String TYPED = "bitttt_typed_";

    private final SparkSession spark;
    private final Broadcast<PackedModel> shared;
    private final String output; // name of the memory at the output; empty for none

    private SparkModel(SparkSession spark, Broadcast<PackedModel> shared, String output) {
        this.spark = spark;
        this.shared = shared;
        this.output = output;
    }

    /** The same model whose Datasets are read with a memory at the output, which learns while the model stays as it is. It is emptied
     * with the model's own memory: where a new row or a new key begins. The SQL functions go without, for each of their calls would begin one.
     *
     * @param name standard or counts, see {@link OutputMemory#named}
     * @return a model that shares everything with this one
     * @throws IllegalArgumentException if it is neither */
    public SparkModel withOutputMemory(String name) {
        OutputMemory.named(name);
        return new SparkModel(spark, shared, name);
    }

    /** Sends a model of the zoo or of a folder to the executors, with its defaults.
     *
     * @param spark the session
     * @param entry what {@link Zoo#load(String)} read
     * @return the model on all of them
     * @throws IOException if the driver's temporary folder cannot be written, or the model's parts do not belong together */
    public static SparkModel broadcast(SparkSession spark, Zoo.Entry entry) throws IOException {
        PackedModel packed = PackedModel.of(entry);
        packed.get(); // Config, weights and tokenizer belong together, or the caller hears it here.
        return new SparkModel(spark, JavaSparkContext.fromSparkContext(spark.sparkContext()).broadcast(packed), "");
    }

    /** Sends a model with the built-in defaults to the executors.
     *
     * @param spark      the session
     * @param checkpoint config and weights, best packed
     * @param tokenizer  of the same vocabulary
     * @return the model on all of them
     * @throws IOException if the driver's temporary folder cannot be written */
    public static SparkModel broadcast(SparkSession spark, Checkpoint checkpoint, Tokenizer tokenizer)
            throws IOException {
        return broadcast(spark, new Zoo.Entry("broadcast", checkpoint, tokenizer, Optional.empty()));
    }

    /** Makes these SQL functions, for the session: {@code bitttt_generate(prompt, options)}, whose options are the JSON object of
     * {@link Writing}, or {@code bitttt_generate(prompt, tokens, temperature, seed)}; {@code bitttt_chat(message, options)}, which answers a
     * user's message by the model's chat format; {@code bitttt_perplexity(text)}; and {@code bitttt_evaluate(text)}, a struct of nats, tokens and perplexity whose sums give the perplexity of a whole corpus. Each
     * call begins with an empty memory. Arguments are cast as SQL casts them, so that {@code 0.8} is as good as {@code 0.8D}; what
     * cannot be cast, and a prompt or text that is none (a number, an array), is refused when a query is planned, unless
     * {@code spark.sql.ansi.enabled} is false; any null gives null. Text is UTF-8, or the query fails when it reads it. */
    public void register() {
        Broadcast<PackedModel> model = shared;
        UDF4<String, String, Double, Long, String> generate = (prompt, options, temperature, seed) -> prompt == null
                || options == null || temperature == null || seed == null
                        ? null
                        : Reader.generate(model.value().get(), prompt, writing(options, temperature, seed));
        UDF2<String, String, String> chat = (message, options) -> message == null || options == null
                ? null
                : Reader.chat(model.value().get(), message, new Writing(options));
        UDF1<String, Row> evaluate = text -> text == null ? null : Reader.evaluate(model.value().get(), text);
        UDF1<String, Double> perplexity = text -> text == null
                ? null
                : Reader.evaluate(model.value().get(), text).getDouble(2);
        spark.udf().register(TYPED + "generate", generate, DataTypes.StringType);
        spark.udf().register(TYPED + "chat", chat, DataTypes.StringType);
        spark.udf().register(TYPED + "evaluate", evaluate, EVALUATION);
        spark.udf().register(TYPED + "perplexity", perplexity, DataTypes.DoubleType);
        // Not a number stands for no temperature: then the second argument is the JSON object.
        String type = textType();
        declare("generate",
                "prompt " + type + ", options string default '{}', temperature double default double('NaN'), "
                        + "seed bigint default 0",
                "string", decoded("prompt", type) + ", options, temperature, seed");
        declare("chat", "message " + type + ", options string default '{}'", "string",
                decoded("message", type) + ", options");
        declare("evaluate", "text " + type, "struct<nats: double, tokens: bigint, perplexity: double>",
                decoded("text", type));
        declare("perplexity", "text " + type, "double", decoded("text", type));
    }

    /** SQL casts everything to a string, arrays and maps too, but by its ANSI rules nothing except text to bytes. Its older rules
     * write a number as four or eight bytes. */
    private String textType() {
        return Boolean.parseBoolean(spark.conf().get("spark.sql.ansi.enabled")) ? "binary" : "string";
    }

    private static String decoded(String argument, String type) {
        return type.equals("binary") ? "decode(" + argument + ", 'UTF-8')" : argument;
    }

    private static Writing writing(String options, double temperature, long seed) {
        if (Double.isNaN(temperature)) {
            return new Writing(options);
        }
        try {
            return new Writing(Integer.parseInt(options), temperature, seed);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "before a temperature stands the number of tokens to write, got " + options, e);
        }
    }

    /** A function of SQL's own before the one of Java, whose arguments have no types that a planner could know or cast to. */
    private void declare(String name, String arguments, String result, String passed) {
        spark.sql("create or replace temporary function bitttt_" + name + "(" + arguments + ") returns " + result
                + " return " + TYPED + name + "(" + passed + ")");
    }

    /** Reads texts: how well the model predicts each, as a document that an end token opens and closes.
     *
     * @param rows     any rows
     * @param text     name of the column with the text; null gives 0 nats over 0 tokens
     * @param sessions whose memory reads
     * @return the same rows with columns nats (sum), tokens (predicted) and perplexity */
    public Dataset<Row> evaluate(Dataset<Row> rows, String text, Sessions sessions) {
        return map(rows, text, sessions, EVALUATION, (session, value) -> value == null
                ? RowFactory.create(0.0, 0L, 1.0)
                : Reader.evaluate(session, value));
    }

    /** Goes on with prompts.
     *
     * @param rows     any rows
     * @param prompt   name of the column with the prompt; null gives null
     * @param writing  how much, and how it is chosen
     * @param sessions whose memory reads the prompt and writes
     * @return the same rows with a column generated, the text without its prompt */
    public Dataset<Row> generate(Dataset<Row> rows, String prompt, Writing writing, Sessions sessions) {
        return map(rows, prompt, sessions, new StructType().add("generated", DataTypes.StringType),
                (session, value) -> RowFactory.create(value == null ? null : Reader.generate(session, value, writing)));
    }

    /** Answers messages of users, by the model's chat format.
     *
     * @param rows     any rows
     * @param message  name of the column with the message; null gives null
     * @param writing  how much, and how it is chosen
     * @param sessions whose memory reads and writes: with a key, its messages are one conversation
     * @return the same rows with a column answer */
    public Dataset<Row> chat(Dataset<Row> rows, String message, Writing writing, Sessions sessions) {
        return map(rows, message, sessions, new StructType().add("answer", DataTypes.StringType),
                (session, value) -> RowFactory.create(value == null ? null : Reader.chat(session, value, writing)));
    }

    /** What is done to one text. */
    @FunctionalInterface
    private interface Work extends Serializable {
        Row apply(Session session, String text);
    }

    private Dataset<Row> map(Dataset<Row> rows, String text, Sessions sessions, StructType added, Work work) {
        StructType schema = rows.schema();
        int column = schema.fieldIndex(text);
        if (!(schema.fields()[column].dataType() instanceof StringType)) {
            throw new IllegalArgumentException("column " + text + " must be of type string, got "
                    + schema.fields()[column].dataType().simpleString() + "; cast it first");
        }
        Dataset<Row> arranged = switch (sessions) {
            case Sessions.PerRow _ -> rows;
            case Sessions.PerKey(String key, String order) -> rows.repartition(col(key)).sortWithinPartitions(col(key),
                    col(order));
        };
        int key = sessions instanceof Sessions.PerKey(String name, String _) ? schema.fieldIndex(name) : -1;
        StructType result = schema;
        for (var field : added.fields()) {
            result = result.add(field);
        }
        Broadcast<PackedModel> model = shared;
        String memory = output;
        MapPartitionsFunction<Row, Row> task = partition -> apply(adapted(model.value().get(), memory), partition,
                column, key, work);
        return arranged.mapPartitions(task, Encoders.row(result));
    }

    private static Model adapted(Model model, String output) {
        return output.isEmpty() ? model : model.withOutputMemory(OutputMemory.named(output));
    }

    /** One session for the partition, emptied where a new row or a new key begins. */
    private static Iterator<Row> apply(Model model, Iterator<Row> partition, int column, int key, Work work) {
        Session session = model.newSession();
        Object[] last = {null, false};
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(partition, Spliterator.ORDERED), false)
                .map(row -> {
                    boolean same = key >= 0 && (boolean) last[1] && Objects.equals(last[0], row.get(key));
                    if (!same) {
                        session.reset();
                        session.resetOutput();
                    }
                    last[0] = key < 0 ? null : row.get(key);
                    last[1] = true;
                    return joined(row, work.apply(session, row.getString(column)));
                }).iterator();
    }

    private static Row joined(Row row, Row added) {
        Object[] values = new Object[row.size() + added.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = i < row.size() ? row.get(i) : added.get(i - row.size());
        }
        return RowFactory.create(values);
    }

    /** Bytes that each executor receives once.
     *  @return of the weights */
    public long bytes() {
        return shared.value().bytes();
    }

    /** Takes the model from the executors; rows that were not computed yet never will be. */
    public void destroy() {
        shared.destroy();
    }

    @Override
    public String toString() {
        return "SparkModel[" + shared.value().get() + ", broadcast as " + bytes() + " bytes]";
    }
}
