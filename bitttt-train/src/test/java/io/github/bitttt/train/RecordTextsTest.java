package io.github.bitttt.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.datavec.api.records.reader.RecordReader;
import org.datavec.api.records.reader.impl.csv.CSVRecordReader;
import org.datavec.api.split.FileSplit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecordTextsTest {
    private static RecordReader csv(Path folder) throws Exception {
        Path file = folder.resolve("letters.csv");
        Files.writeString(file, "from,question,answer\nAnn,\"Who, then?\",A cat.\nBen,Where?,On a mat.\n");
        CSVRecordReader reader = new CSVRecordReader(1);
        reader.initialize(new FileSplit(file.toFile()));
        return reader;
    }

    private static Tokenizer tokenizer() throws IOException {
        return Tokenizer.parse(BpeTrainer.train("Who, then? Where? A cat. On a mat.", 270), "test");
    }

    @Test
    void aColumnIsADocument(@TempDir Path folder) throws Exception {
        Tokenizer words = tokenizer();
        TrainingText text = RecordTexts.of(2).tokens(csv(folder), words);
        assertSame(text, TrainingText.of(words.encode("<|endoftext|>A cat.<|endoftext|>On a mat.<|endoftext|>")));
    }

    @Test
    void promptsAreReadAndCompletionsLearned(@TempDir Path folder) throws Exception {
        Tokenizer words = tokenizer();
        assertSame(RecordTexts.of(1, 2).tokens(csv(folder), words), TextFormat.JSON_LINES.tokens("""
                {"prompt": "Who, then?", "completion": "A cat."}
                {"prompt": "Where?", "completion": "On a mat."}
                """, words));
    }

    private static void assertSame(TrainingText text, TrainingText expected) {
        assertThat(text).hasToString(expected.toString());
        for (long i = 0; i < expected.length(); i++) {
            assertThat(text.id(i)).isEqualTo(expected.id(i));
            assertThat(text.counts(i)).isEqualTo(expected.counts(i));
        }
    }

    @Test
    void namesWhatIsWrong(@TempDir Path folder) throws Exception {
        RecordReader reader = csv(folder);
        Tokenizer words = tokenizer();
        assertThatIllegalArgumentException().isThrownBy(() -> RecordTexts.of(3).tokens(reader, words))
                .withMessage("record 1 must have 4 columns or more, got 3");
        assertThatIllegalArgumentException().isThrownBy(() -> RecordTexts.of(-1))
                .withMessage("column must be at least 0, got -1");
    }
}
