package io.github.bitttt.spark;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.BpeTrainer;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.llama.zoo.Samples;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SparkSession;

/** The sample of stories that ships with the examples, a tokenizer of it, and a model small enough to train in seconds. */
final class TinyStories {
    static final BitLlamaConfig CONFIG = BitLlamaConfig.of(300, 32, 2, 64);

    private TinyStories() {
    }

    static String text() throws IOException {
        return Samples.tinyStories();
    }

    static List<String> documents() throws IOException {
        return Arrays.asList(text().split(java.util.regex.Pattern.quote(Tokenizer.END_OF_TEXT)));
    }

    static Dataset<String> documents(SparkSession spark) throws IOException {
        return spark.createDataset(documents(), Encoders.STRING());
    }

    static Tokenizer tokenizer() throws IOException {
        return Tokenizer.parse(BpeTrainer.train(text(), CONFIG.vocabSize()), "test");
    }

    static Checkpoint model(long seed) {
        return new Checkpoint(CONFIG, Weights.init(new BitLlama(CONFIG).params(), seed), Map.of());
    }
}
