package io.github.bitttt.llama.generate;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.util.Map;

/** A model with random weights and a real tokenizer, for tests. */
final class TinyModel {
    static final String TEXT = "One day a cat sat on a mat. " + Tokenizer.END_OF_TEXT + "\nTwo dogs ran to the cat. "
            + Tokenizer.END_OF_TEXT + "\nThe end of the day. ";

    private TinyModel() {
    }

    static Model of(int width, int layers, long seed) throws IOException {
        Tokenizer tokenizer = Tokenizer.parse(BpeTrainer.train(TEXT, 270), "test");
        BitLlamaConfig config = BitLlamaConfig.of(270, width, layers, width + 5);
        return Model.of(new Checkpoint(config, Weights.init(new BitLlama(config).params(), seed), Map.of()), tokenizer);
    }
}
