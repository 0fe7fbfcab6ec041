package io.github.bitttt.spark;

import static org.apache.spark.sql.functions.array_sort;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.flatten;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.size;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.xxhash64;

import io.github.bitttt.llama.text.Tokenizer;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;

/**
 * Text to token ids to shuffled windows, as Datasets.
 *
 * <pre>{@code
 * Dataset<String> documents = SparkText.documents(spark, "stories.txt");
 * Dataset<Row> tokens = SparkText.tokens(documents, tokenizer);       // document, ids
 * Dataset<Row> windows = SparkText.windows(tokens, 256, seed);        // position, window, ids
 * SparkText.write(windows, "windows.parquet");
 * }</pre>
 *
 * <p>Nothing here depends on how many partitions or executors there are: the documents are one stream, cut at multiples of the
 * window, and the order of windows is that of a hash of seed and window.
 */
public final class SparkText {
    private static final StructType TOKENS = new StructType().add("document", DataTypes.LongType, false).add("ids",
            DataTypes.createArrayType(DataTypes.IntegerType, false), false);
    private static final StructType FRAGMENTS = new StructType().add("window", DataTypes.LongType, false)
            .add("at", DataTypes.IntegerType, false)
            .add("ids", DataTypes.createArrayType(DataTypes.IntegerType, false), false);
    static final StructType WINDOWS = new StructType().add("position", DataTypes.LongType, false)
            .add("window", DataTypes.LongType, false)
            .add("ids", DataTypes.createArrayType(DataTypes.IntegerType, false), false);

    private SparkText() {
    }

    /** Documents of text files that stand between {@value Tokenizer#END_OF_TEXT}, white space and all.
     *
     * @param spark the session
     * @param path  a file, a folder or a pattern, on any file system that Spark reads, of UTF-8; a U+FEFF at the beginning of a file is
     *              no part of its text
     * @return one row for each document; where a file is not UTF-8, reading them fails with its name, line and byte */
    public static Dataset<String> documents(SparkSession spark, String path) {
        return TextRows.documents(spark, path);
    }

    /** The ids of each document, its end token after it if the vocabulary has one.
     *
     * @param documents one text for each row, in the order that windows will read them
     * @param tokenizer of the model
     * @return rows (document: long from 0, ids: array of int) */
    public static Dataset<Row> tokens(Dataset<String> documents, Tokenizer tokenizer) {
        Broadcast<SharedTokenizer> shared = context(documents).broadcast(new SharedTokenizer(tokenizer));
        JavaRDD<Row> rows = documents.javaRDD().zipWithIndex()
                .map(document -> RowFactory.create(document._2(), ids(shared.value().get(), document._1())));
        return documents.sparkSession().createDataFrame(rows, TOKENS);
    }

    private static JavaSparkContext context(Dataset<?> dataset) {
        return JavaSparkContext.fromSparkContext(dataset.sparkSession().sparkContext());
    }

    private static int[] ids(Tokenizer tokenizer, String document) {
        int[] ids = tokenizer.encode(document);
        OptionalInt end = tokenizer.endOfText();
        if (end.isEmpty()) {
            return ids;
        }
        int[] ended = Arrays.copyOf(ids, ids.length + 1);
        ended[ids.length] = end.getAsInt();
        return ended;
    }

    /** Windows of T + 1 ids, of which neighbours share one, in a shuffled order; what does not fill a window is left out.
     *
     * @param tokens of {@link #tokens}
     * @param window T, at least 1
     * @param seed   of the order
     * @return rows (position: long from 0 in the shuffled order, window: long from 0 in the text, ids: array of int), sorted by
     *         position */
    public static Dataset<Row> windows(Dataset<Row> tokens, int window, long seed) {
        if (window < 1) {
            throw new IllegalArgumentException("window must be at least 1 token, got " + window);
        }
        check(tokens, TOKENS, "tokens");
        JavaRDD<int[]> stream = tokens.orderBy("document").select("ids").javaRDD().map(row -> ints(row, 0));
        long[] starts = starts(stream);
        JavaRDD<Row> fragments = stream.mapPartitionsWithIndex(
                (partition, documents) -> fragments(documents, starts[partition], window), true);
        JavaRDD<Row> rows = tokens.sparkSession().createDataFrame(fragments, FRAGMENTS).groupBy("window")
                .agg(array_sort(collect_list(struct(col("at"), col("ids")))).as("parts"))
                .select(col("window"), flatten(col("parts.ids")).as("ids")).where(size(col("ids")).equalTo(window + 1))
                .orderBy(xxhash64(lit(seed), col("window")), col("window")).javaRDD().zipWithIndex()
                .map(row -> RowFactory.create(row._2(), row._1().getLong(0), row._1().get(1)));
        return tokens.sparkSession().createDataFrame(rows, WINDOWS);
    }

    /** Refuses rows of other columns before anything runs.
     *
     * @param rows    from anybody
     * @param columns that they must have, with their types; whether they may be null is not looked at
     * @param what    they are called in a message
     * @throws IllegalArgumentException if one is missing or of another type */
    static void check(Dataset<Row> rows, StructType columns, String what) {
        StructType schema = rows.schema();
        for (StructField column : columns.fields()) {
            Optional<StructField> found = Arrays.stream(schema.fields())
                    .filter(field -> field.name().equals(column.name())).findFirst();
            if (found.isEmpty() || !type(found.get()).equals(type(column))) {
                throw new IllegalArgumentException(what + " must have a column " + column.name() + " of type "
                        + type(column) + ", got "
                        + found.map(field -> "one of type " + type(field))
                                .orElse("columns " + Arrays.toString(schema.fieldNames())));
            }
        }
    }

    private static String type(StructField field) {
        return field.dataType().simpleString();
    }

    static int[] ints(Row row, int column) {
        List<Integer> list = row.getList(column);
        return list.stream().mapToInt(Integer::intValue).toArray();
    }

    /** The place in the whole stream where each partition begins. */
    private static long[] starts(JavaRDD<int[]> stream) {
        List<Long> lengths = stream.mapPartitions(documents -> {
            long length = 0;
            while (documents.hasNext()) {
                length += documents.next().length;
            }
            return List.of(length).iterator();
        }).collect();
        long[] starts = new long[lengths.size()];
        for (int i = 1; i < starts.length; i++) {
            starts[i] = starts[i - 1] + lengths.get(i - 1);
        }
        return starts;
    }

    /** What the documents of a partition have of each window. */
    private static Iterator<Row> fragments(Iterator<int[]> documents, long start, int window) {
        long[] next = {start};
        return StreamSupport.stream(Spliterators.spliteratorUnknownSize(documents, Spliterator.ORDERED), false)
                .flatMap(ids -> {
                    long at = next[0];
                    next[0] += ids.length;
                    return fragments(ids, at, window);
                }).iterator();
    }

    /** What a document that begins at a place has of each window: a window's last id is the first of the next one as well. */
    private static Stream<Row> fragments(int[] ids, long at, int window) {
        long first = Math.max(0, Math.ceilDiv(at, window) - 1);
        return LongStream.rangeClosed(first, (at + ids.length - 1) / window).mapToObj(number -> {
            int from = (int) (Math.max(at, number * window) - at);
            int to = (int) (Math.min(at + ids.length, (number + 1) * window + 1) - at);
            return RowFactory.create(number, (int) (at + from - number * window), Arrays.copyOfRange(ids, from, to));
        }).filter(row -> ((int[]) row.get(2)).length > 0);
    }

    /** Writes windows as Parquet; what was there is replaced.
     *
     * @param windows of {@link #windows}
     * @param path    a folder, on any file system that Spark writes */
    public static void write(Dataset<Row> windows, String path) {
        check(windows, WINDOWS, "windows");
        windows.write().mode(SaveMode.Overwrite).parquet(path);
    }

    /** Reads windows from Parquet, sorted by position.
     *
     * @param spark the session
     * @param path  what {@link #write} wrote
     * @return the same rows */
    public static Dataset<Row> read(SparkSession spark, String path) {
        return spark.read().schema(WINDOWS).parquet(path).orderBy("position");
    }
}
