package io.github.bitttt.spark;

import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;

/** A tokenizer on its way to the executors: broadcast as text, read once in each JVM. */
final class SharedTokenizer implements Serializable {
    private static final long serialVersionUID = 1;

    private final String json;
    private transient Tokenizer tokenizer;

    SharedTokenizer(Tokenizer tokenizer) {
        this.json = tokenizer.json();
        this.tokenizer = tokenizer;
    }

    synchronized Tokenizer get() {
        if (tokenizer == null) {
            try {
                tokenizer = Tokenizer.parse(json, "the broadcast tokenizer");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return tokenizer;
    }
}
