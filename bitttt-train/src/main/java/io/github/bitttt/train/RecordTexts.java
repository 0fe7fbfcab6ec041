package io.github.bitttt.train;

import io.github.bitttt.llama.text.Tokenizer;
import java.util.List;
import org.datavec.api.records.reader.RecordReader;
import org.datavec.api.writable.Writable;

/**
 * Training text from a DataVec {@link RecordReader}: CSV files, JSON, databases, whatever DataVec reads. Each record is a document.
 *
 * <pre>{@code
 * CSVRecordReader reader = new CSVRecordReader(1);
 * reader.initialize(new FileSplit(new File("letters.csv")));
 * TrainingText text = RecordTexts.of(2).tokens(reader, tokenizer);             // column 2 is learned
 * TrainingText pairs = RecordTexts.of(0, 1).tokens(reader, tokenizer);         // column 0 is read, column 1 learned
 * }</pre>
 */
public final class RecordTexts {
    private final int prompt; // -1 for none
    private final int completion;

    private RecordTexts(int prompt, int completion) {
        this.prompt = prompt;
        this.completion = completion;
    }

    /** Documents of one column, of which every token counts.
     *
     * @param column from 0
     * @return how to read records */
    public static RecordTexts of(int column) {
        return new RecordTexts(-1, requireColumn(column));
    }

    /** Documents of two columns.
     *
     * @param prompt     column of what is read and not learned, from 0
     * @param completion column of what is learned, from 0
     * @return how to read records */
    public static RecordTexts of(int prompt, int completion) {
        return new RecordTexts(requireColumn(prompt), requireColumn(completion));
    }

    private static int requireColumn(int column) {
        Ranges.count("column", column, 0, Long.MAX_VALUE);
        return column;
    }

    /** Reads the reader to its end.
     *
     * @param reader    initialized
     * @param tokenizer of the model
     * @return the documents, an end token before each and after the last if the tokenizer has one
     * @throws IllegalArgumentException if a record has no such column */
    public TrainingText tokens(RecordReader reader, Tokenizer tokenizer) {
        DocumentTokens tokens = new DocumentTokens(tokenizer);
        for (long record = 1; reader.hasNext(); record++) {
            List<Writable> values = reader.next();
            int columns = Math.max(prompt, completion) + 1;
            if (values.size() < columns) {
                throw new IllegalArgumentException("record " + record + " must have " + columns
                        + " columns or more, got " + values.size());
            }
            tokens.add(prompt < 0 ? "" : values.get(prompt).toString(), values.get(completion).toString());
        }
        return tokens.text();
    }
}
