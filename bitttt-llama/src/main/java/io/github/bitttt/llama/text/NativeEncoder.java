package io.github.bitttt.llama.text;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/** Hugging Face's encoder in native memory, which is freed once: when it is closed, or when nobody holds it. For any thread. */
final class NativeEncoder implements AutoCloseable {
    // The library reports its use to its makers and may fetch a build for a GPU over the network, unless it is told not to.
    private static final Map<String, String> STAY_HERE = Map.of("OPT_OUT_TRACKING", "true", "RUST_FLAVOR", "cpu");
    private static final Cleaner CLEANER = Cleaner.create();

    private final HuggingFaceTokenizer encoder;
    private final Cleaner.Cleanable memory;
    // Whoever encodes shares it; closing takes it alone, so that no text is cut up in freed memory.
    private final ReadWriteLock use = new ReentrantReadWriteLock();
    private boolean closed;

    private NativeEncoder(HuggingFaceTokenizer encoder) {
        this.encoder = encoder;
        memory = CLEANER.register(this, encoder::close);
    }

    /** Makes an encoder.
     *
     * @param json of a tokenizer
     * @param name of its origin, for messages */
    static NativeEncoder of(String json, String name) throws IOException {
        for (String setting : STAY_HERE.keySet()) {
            if (System.getenv(setting) == null && System.getProperty(setting) == null) {
                System.setProperty(setting, STAY_HERE.get(setting));
            }
        }
        try {
            return new NativeEncoder(
                    HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json.getBytes(StandardCharsets.UTF_8)),
                            Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "false")));
        } catch (RuntimeException e) {
            // The native library reports a bad file by whatever exception its own code had.
            throw new IOException(name + ": is not a tokenizer: " + e.getMessage(), e);
        }
    }

    long[] ids(String text) {
        use.readLock().lock();
        try {
            if (closed) {
                throw new IllegalStateException("this tokenizer is closed, by itself or with its model; load it again");
            }
            return encoder.encode(text, false, false).getIds();
        } finally {
            use.readLock().unlock();
        }
    }

    @Override
    public void close() {
        use.writeLock().lock();
        try {
            closed = true;
            memory.clean();
        } finally {
            use.writeLock().unlock();
        }
    }
}
