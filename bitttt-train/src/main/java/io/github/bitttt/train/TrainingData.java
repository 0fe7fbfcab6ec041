package io.github.bitttt.train;

import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.util.SequencedMap;

/** What a run learns from, and what chooses its best model: {@linkplain TrainingRun.Texts texts}. */
public interface TrainingData {
    /** What is learned.
     *
     * @param tokenizer of the model
     * @return its tokens
     * @throws IOException if they cannot be read */
    TrainingText training(Tokenizer tokenizer) throws IOException;

    /** What chooses the best model.
     *
     * @param tokenizer of the model
     * @return its tokens, none if there is no such text
     * @throws IOException if they cannot be read */
    TrainingText validation(Tokenizer tokenizer) throws IOException;

    /** What a resumed run must find again, such as a digest of the text, each under a name that a message can give.
     *
     * @return kept in the run's state */
    SequencedMap<String, String> identity();
}
