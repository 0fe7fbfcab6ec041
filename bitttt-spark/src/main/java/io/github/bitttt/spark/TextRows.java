package io.github.bitttt.spark;

import static org.apache.spark.sql.functions.col;

import io.github.bitttt.llama.text.TextFile;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.Serializable;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.io.compress.CompressionCodec;
import org.apache.hadoop.io.compress.CompressionCodecFactory;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.util.SerializableConfiguration;

/**
 * The documents of text files as strictly as {@link TextFile} reads them: Spark's own reader makes U+FFFD of what is not UTF-8, and
 * text of U+FEFF at a file's beginning.
 */
final class TextRows implements Serializable {
    private static final long serialVersionUID = 1;
    private static final char MARK = '\uFEFF';

    private final Broadcast<SerializableConfiguration> hadoop;

    private TextRows(Broadcast<SerializableConfiguration> hadoop) {
        this.hadoop = hadoop;
    }

    /** One row for each document.
     *
     * @param spark the session
     * @param path  a file, a folder or a pattern
     * @return a text that, where a file is not UTF-8, fails by its name with line and byte when it is read */
    static Dataset<String> documents(SparkSession spark, String path) {
        JavaSparkContext context = JavaSparkContext.fromSparkContext(spark.sparkContext());
        TextRows reader = new TextRows(
                context.broadcast(new SerializableConfiguration(context.hadoopConfiguration())));
        return spark.read().option("lineSep", Tokenizer.END_OF_TEXT).text(path)
                .select(col("value").cast(DataTypes.BinaryType), col("_metadata.file_path"),
                        col("_metadata.file_block_start"))
                .mapPartitions((MapPartitionsFunction<Row, String>) reader::read, Encoders.STRING());
    }

    private Iterator<String> read(Iterator<Row> rows) {
        return new Iterator<>() {
            private String part = "";

            @Override
            public boolean hasNext() {
                return rows.hasNext();
            }

            @Override
            public String next() {
                Row row = rows.next();
                // A task may read parts of several files, one after another; the first row of a file's first part begins the file.
                String now = row.getLong(2) + " " + row.getString(1);
                boolean begins = row.getLong(2) == 0 && !now.equals(part);
                part = now;
                return text(row.getAs(0), row.getString(1), begins);
            }
        };
    }

    private String text(byte[] document, String file, boolean begins) {
        try {
            String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(document)).toString();
            return begins && !text.isEmpty() && text.charAt(0) == MARK ? text.substring(1) : text;
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(fault(new Path(URI.create(file))), e);
        }
    }

    /** Where a file is no UTF-8: it is read once more, from its beginning, for a row does not know its line. */
    private String fault(Path file) {
        String name = file.toUri().getScheme().equals("file") ? file.toUri().getPath() : file.toString();
        try (TextFile.Lines lines = TextFile.Lines.of(open(file), name)) {
            String line;
            do {
                line = lines.next();
            } while (line != null);
            return name + ": must be UTF-8 text; it has changed while it was read";
        } catch (IOException e) {
            return e.getMessage();
        }
    }

    private InputStream open(Path file) throws IOException {
        InputStream in = file.getFileSystem(hadoop.value().value()).open(file);
        CompressionCodec codec = new CompressionCodecFactory(hadoop.value().value()).getCodec(file);
        return codec == null ? in : codec.createInputStream(in);
    }
}
