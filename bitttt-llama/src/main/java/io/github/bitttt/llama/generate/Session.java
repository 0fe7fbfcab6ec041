package io.github.bitttt.llama.generate;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.io.MemoryFile;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.TttState;
import io.github.bitttt.nn.cpu.CpuOps;
import io.github.bitttt.nn.cpu.Rows;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;

/**
 * One reader of a model: its memory learns from every token that is fed. In memory layers it stays the same size for ever.
 *
 * <p>For one thread at a time; a call that comes upon another throws. {@link #fork} copies what was learned so far; {@link #saveMemory} hands it on.
 */
public final class Session implements AutoCloseable {
    /** Rows of one pass over a longer text: enough to share the work, few enough to stay in the cache. */
    private static final int BLOCK = 64;

    private final Model model;
    private final CpuOps ops;
    private final List<MixerState<Rows>> memories;
    private final float[] logits;
    private long position;
    private final AtomicBoolean atWork = new AtomicBoolean();
    private volatile boolean closed;

    Session(Model model) {
        this.model = model;
        this.ops = new CpuOps(model.weights());
        this.memories = architecture().memories(CpuOps::empty);
        this.logits = new float[architecture().config().vocabSize()];
    }

    private BitLlama architecture() {
        return model.architecture();
    }

    /** Hears the logits after each token. */
    @FunctionalInterface
    public interface LogitsListener {
        /** One position.
         *
         * @param index  of the token in what was fed
         * @param logits [V] of the token after it; overwritten by the next */
        void logits(int index, float[] logits);
    }

    /** Reads one token.
     *
     * @param id the token
     * @return logits [V] of the next one: a buffer that the next call overwrites */
    public float[] feed(int id) {
        check(id);
        enter();
        try {
            ops.reset();
            Rows hidden = architecture().hidden(ops, memories, ops.token(id));
            position++;
            return head(hidden);
        } finally {
            leave();
        }
    }

    /** Reads tokens; only the last one's logits are computed.
     *
     * @param ids at least one
     * @return logits [V] of the next token: a buffer that the next call overwrites */
    public float[] feed(int[] ids) {
        if (ids.length == 0) {
            throw new IllegalArgumentException("at least 1 token is needed, got 0");
        }
        check(ids);
        enter();
        try {
            for (int from = 0;; from += BLOCK) {
                Rows hidden = hidden(ids, from);
                if (from + BLOCK >= ids.length) {
                    return head(ops.lastRow(hidden));
                }
            }
        } finally {
            leave();
        }
    }

    /** Reads tokens and tells the logits after each.
     *
     * @param ids      any number
     * @param listener hears them in order; it may not use this session */
    public void feed(int[] ids, LogitsListener listener) {
        check(ids);
        enter();
        try {
            int vocabulary = logits.length;
            for (int from = 0; from < ids.length; from += BLOCK) {
                Rows all = architecture().head(ops, hidden(ids, from));
                for (int row = 0; row < all.rows(); row++) {
                    System.arraycopy(all.values(), row * vocabulary, logits, 0, vocabulary);
                    listener.logits(from + row, logits);
                }
            }
        } finally {
            leave();
        }
    }

    private Rows hidden(int[] ids, int from) {
        ops.reset();
        int to = Math.min(ids.length, from + BLOCK);
        Rows hidden = architecture().hidden(ops, memories, ops.tokens(ids, from, to));
        position += to - from;
        return hidden;
    }

    private float[] head(Rows hidden) {
        Rows row = architecture().head(ops, hidden);
        System.arraycopy(row.values(), 0, logits, 0, logits.length);
        return logits;
    }

    private void check(int... ids) {
        open();
        for (int id : ids) {
            check(id);
        }
    }

    private void check(int id) {
        open();
        if (id < 0 || id >= logits.length) {
            throw new IllegalArgumentException("token ids are 0 to " + (logits.length - 1) + ", got " + id);
        }
    }

    /** Takes the session for this call. A second thread, or a listener that calls back, would mix two texts in one memory. */
    private void enter() {
        open();
        if (!atWork.compareAndSet(false, true)) {
            throw new IllegalStateException(
                    "this session is at work already, in another thread or in the call that a listener"
                            + " hears; a session is for one thread at a time: give each its own by fork() or Model.newSession()");
        }
    }

    private void leave() {
        atWork.set(false);
    }

    private void open() {
        if (closed) {
            throw new IllegalStateException("this session is closed; open another by Model.newSession()");
        }
    }

    /** A session that knows what this one knows; from here on each learns by itself.
     *  @return a copy, for any one thread */
    public Session fork() {
        Session copy = new Session(model);
        enter();
        try {
            copy.restore(copies());
            copy.position = position;
            return copy;
        } finally {
            leave();
        }
    }

    /** Forgets everything. */
    public void reset() {
        enter();
        try {
            memories.forEach(CpuOps::clear);
            position = 0;
        } finally {
            leave();
        }
    }

    /** Writes what was learned, whole or not at all.
     *
     * @param file its place
     * @throws IOException if that fails */
    public void saveMemory(Path file) throws IOException {
        MemoryFile.save(file, architecture(), model.fingerprint(), memories());
    }

    /** Goes on from what was learned elsewhere; what this session knew is forgotten.
     *
     * @param file a memory file of the same model
     * @throws IOException if it is another model's or cannot be read: then nothing has changed */
    public void loadMemory(Path file) throws IOException {
        enter();
        try {
            restore(MemoryFile.load(file, architecture(), model.fingerprint()));
            position = 0;
        } finally {
            leave();
        }
    }

    /** What was learned, layer by layer.
     *  @return copies, flat in row order; of a memory layer {@link TttState} with weights [H, d, d], previous [D], feature [H, d] */
    public List<MixerState<float[]>> memories() {
        enter();
        try {
            return copies();
        } finally {
            leave();
        }
    }

    private List<MixerState<float[]>> copies() {
        return memories.stream().map(CpuOps::export).toList();
    }

    private void restore(List<MixerState<float[]>> from) {
        for (int i = 0; i < memories.size(); i++) {
            CpuOps.restore(from.get(i), memories.get(i));
        }
    }

    /** The Frobenius norm of each layer's W: how much was learned.
     *  @return one number for each layer, 0 for attention, which has no W */
    public double[] memoryNorms() {
        open();
        return memories.stream().mapToDouble(state -> state instanceof TttState<Rows> memory
                ? norm(memory.weights().toArray())
                : 0).toArray();
    }

    private static double norm(float[] values) {
        double squares = 0;
        for (float value : values) {
            squares += (double) value * value;
        }
        return Math.sqrt(squares);
    }

    /** Tokens read since the memory was empty or loaded.
     *  @return from 0 */
    public long position() {
        return position;
    }

    /** The model that reads.
     *  @return shared with other sessions */
    public Model model() {
        return model;
    }

    @Override
    public void close() {
        closed = true;
    }

    @Override
    public String toString() {
        return closed
                ? "Session[closed]"
                : Arrays.stream(memoryNorms()).mapToObj(norm -> String.format(Locale.ROOT, "%.2f", norm))
                        .collect(Collectors.joining(", ", "Session[" + position + " tokens read, memory norms ", "]"));
    }
}
