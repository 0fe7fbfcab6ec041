package io.github.bitttt.llama.generate;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.chat.ChatMessage;
import io.github.bitttt.llama.io.MemoryFile;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.cpu.CpuOps;
import io.github.bitttt.nn.cpu.Rows;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * One reader of a model: its memory learns from every token that is fed. In memory layers it stays the same size for ever.
 *
 * <p>For one thread at a time; a call that comes upon another throws. {@link #fork} copies what was learned so far; {@link #saveMemory} hands it on.
 */
public final class Session implements AutoCloseable {
    /** Rows of one pass over a longer text: enough to share the work, few enough to stay in the cache. */
    static final int BLOCK = 64;
    private static final LogitsListener SILENT = (_, _) -> {};

    private final Model model;
    private final CpuOps ops;
    private final SessionMemory memory;
    private final float[] logits;
    private boolean hasRead; // since it was emptied or loaded: the logits are of the next token
    private final Optional<OutputMemory> outputForm;
    private Optional<AdaptedHead> output;
    private volatile long position;
    private final AtomicBoolean atWork = new AtomicBoolean();
    private volatile boolean closed;

    Session(Model model, Optional<OutputMemory> output) {
        this.model = model;
        this.ops = new CpuOps(model.weights());
        this.memory = new SessionMemory(architecture(), model.window(), output.isPresent());
        this.logits = new float[architecture().config().vocabSize()];
        this.outputForm = output;
        this.output = output.map(form -> new AdaptedHead(model, ops, form, logits));
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
            memory.admitOne();
            ops.reset();
            Rows hidden = architecture().hidden(ops, memory.states(), ops.token(id));
            memory.read(id);
            position = position + 1; // written by whoever has entered, and only read by others
            return head(hidden, id);
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
        feed(ids, 0, ids.length, true);
        return logits;
    }

    /** Reads a part of checked or the library's own tokens; the last one's logits are computed if they are asked for. */
    void feed(int[] ids, int start, int end, boolean last) {
        enter();
        try {
            memory.admit(end - start);
            for (int from = start, to; from < end; from = to) {
                to = from + memory.pass(end - from);
                Rows hidden = hidden(ids, from, to);
                if (output.isPresent()) {
                    read(output.get(), ids, from, to, SILENT);
                } else if (last && to == end) {
                    head(ops.lastRow(hidden));
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
            memory.admit(ids.length);
            int vocabulary = logits.length;
            for (int from = 0, to; from < ids.length; from = to) {
                to = from + memory.pass(ids.length - from);
                Rows hidden = hidden(ids, from, to);
                if (output.isPresent()) {
                    read(output.get(), ids, from, to, listener);
                    continue;
                }
                Rows all = architecture().head(ops, hidden);
                for (int row = 0; row < all.rows(); row++) {
                    System.arraycopy(all.values(), row * vocabulary, logits, 0, vocabulary);
                    hasRead = true;
                    listener.logits(from + row, logits);
                }
            }
        } finally {
            leave();
        }
    }

    /** Logits of the next token, as the last call that read something left them.
     *
     * @return [V], a copy
     * @throws IllegalStateException if nothing was read since the session was opened, emptied or given a memory */
    public float[] logits() {
        open();
        return known().clone();
    }

    /** The buffer itself. */
    float[] known() {
        if (!hasRead) {
            throw new IllegalStateException("no token was read yet, so there are no logits; feed one first");
        }
        return logits;
    }

    boolean hasRead() {
        return hasRead;
    }

    /** Goes on with a text, as the model's defaults say. The memory learns from prompt and text alike.
     *
     * @param prompt any text; an empty one begins a new document
     * @return nothing read or written yet */
    public Generation generate(String prompt) {
        return generate(prompt, model.defaults());
    }

    /** Goes on with a text.
     *
     * @param prompt  any text; an empty one begins a new document
     * @param options how, best made from {@link Model#defaults()}
     * @return nothing read or written yet */
    public Generation generate(String prompt, GenerationOptions options) {
        return generate(prompt, options, Sampler.of(options.sampling()));
    }

    /** Goes on with a text by a sampler of one's own.
     *
     * @param prompt  any text; an empty one begins a new document
     * @param options how, their sampling left aside
     * @param sampler chooses each token
     * @return nothing read or written yet */
    public Generation generate(String prompt, GenerationOptions options, Sampler sampler) {
        return generate(encode(prompt), options, sampler, () -> false);
    }

    /** Goes on with tokens.
     *
     * @param prompt      their ids; none begins a new document
     * @param options     how, their sampling left aside
     * @param sampler     chooses each token
     * @param interrupted asked between slices of the prompt and before each token: true ends the text as cancelled
     * @return nothing read or written yet */
    public Generation generate(int[] prompt, GenerationOptions options, Sampler sampler, BooleanSupplier interrupted) {
        check(prompt);
        memory.admit(prompt.length);
        return new Generation(this, prompt, 0, options, sampler, interrupted);
    }

    /** Answers messages, as the model's chat format writes them. What was said in this session before is known: so these are the new ones.
     *
     * @param messages    at least one; none of them can write a marker of the format
     * @param options     how, best made from {@link Model#defaults()}; the format's own ends are added
     * @param sampler     chooses each token
     * @param interrupted asked between slices of the messages and before each token: true ends the answer as cancelled
     * @return nothing read or written yet
     * @throws IllegalStateException if the model has no chat format; the message says what to do */
    public Generation chat(List<ChatMessage> messages, GenerationOptions options, Sampler sampler,
            BooleanSupplier interrupted) {
        int[] ids = SessionTexts.encode(this, messages);
        return generate(ids, model.chatOptions(options), sampler, interrupted).answering();
    }

    /** Answers one message of a user by the model's defaults.
     *
     * @param message any text
     * @return nothing read or written yet */
    public Generation chat(String message) {
        return chat(List.of(ChatMessage.user(message)), model.defaults(), Sampler.of(model.defaults().sampling()),
                () -> false);
    }

    /** Goes on with a whole text of which this session may have read the beginning already: what they have in common is not read again, and
     * what the session has read beyond it is forgotten. For conversations that are sent from their first word each time.
     *
     * <p>Attention goes back to any token. A memory cannot forget single tokens: it begins anew.
     *
     * @param text        its ids, as an empty session would read them, see {@link Model#encode}
     * @param options     how, their sampling left aside; with {@link GenerationOptions#echo} all is read again
     * @param sampler     chooses each token
     * @param interrupted asked between slices of the prompt and before each token: true ends the text as cancelled
     * @return nothing more read or written yet
     * @throws ContextLimitException if the text is longer than the model's context */
    public Generation resume(int[] text, GenerationOptions options, Sampler sampler, BooleanSupplier interrupted) {
        check(text);
        return alone(() -> {
            memory.admit(0, text.length);
            int kept = options.echo() ? 0 : memory.inCommon(text);
            if (kept == 0 || kept < memory.tokens()) {
                memory.goBack(kept);
                output.map(AdaptedHead::cleared);
                position = kept;
                hasRead = false;
            }
            return new Generation(this, text, kept, options, sampler, interrupted);
        });
    }

    /** How many of a text's first tokens {@link #resume} would not read again.
     *
     * @param text its ids
     * @return from 0 to all but one */
    public int inCommon(int[] text) {
        return alone(() -> memory.inCommon(text));
    }

    SessionMemory memory() {
        return memory;
    }

    /** The tokens of a text as this session reads it next: where nothing has been read yet, what the tokenizer puts before a first text stands in
     * front, {@code <|begin_of_text|>} for instance. A text that begins with it already gets no second one.
     *
     * @param text any text
     * @return its ids */
    public int[] encode(String text) {
        return SessionTexts.begun(this, model.tokenizer().encode(text));
    }

    /** The same for a text that somebody else wrote, in which special tokens are letters.
     *
     * @param text any text
     * @return its ids */
    public int[] encodeAsText(String text) {
        return SessionTexts.begun(this, model.tokenizer().encodeAsText(text));
    }

    /** Reads a text for the sake of the memory.
     *
     * @param text any text
     * @return how many tokens it had */
    public int learn(String text) {
        int[] ids = encode(text);
        feed(ids, 0, ids.length, true);
        return ids.length;
    }

    /** Reads a text and tells how likely each of its tokens was.
     *
     * @param text any text
     * @return its tokens; the first one's log-probability is NaN if nothing had been read before it */
    public List<Token> score(String text) {
        return SessionTexts.score(this, encode(text));
    }

    /** Reads tokens: the rows behind the last norm, in a buffer of this session. */
    Rows hidden(int[] ids, int from, int to) {
        ops.reset();
        hasRead = false;
        Rows hidden = architecture().hidden(ops, memory.states(), ops.tokens(ids, from, to));
        memory.read(ids, from, to);
        position = position + to - from;
        output.ifPresent(head -> head.keep(hidden));
        return hidden;
    }

    private float[] head(Rows hidden, int id) {
        if (output.isEmpty()) {
            return head(hidden);
        }
        output.get().keep(hidden);
        output.get().read(id, 0);
        hasRead = true;
        return logits;
    }

    private void read(AdaptedHead head, int[] ids, int from, int to, LogitsListener listener) {
        for (int at = from; at < to; at++) {
            head.read(ids[at], at - from);
            hasRead = true;
            listener.logits(at, logits);
        }
    }

    private float[] head(Rows hidden) {
        Rows row = architecture().head(ops, hidden);
        System.arraycopy(row.values(), 0, logits, 0, logits.length);
        hasRead = true;
        return logits;
    }

    void check(int... ids) {
        open();
        for (int id : ids) {
            check(id);
        }
    }

    private void check(int id) {
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

    /** Works while no other call does. */
    <T> T alone(Supplier<T> work) {
        enter();
        try {
            return work.get();
        } finally {
            leave();
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
        return alone(() -> {
            Session copy = new Session(model, outputMemory());
            copy.memory.restore(memory);
            copy.output = copy.output.map(empty -> empty.restored(output.orElseThrow().save()));
            copy.position = position;
            copy.hasRead = hasRead;
            System.arraycopy(logits, 0, copy.logits, 0, logits.length);
            return copy;
        });
    }

    /** Forgets everything but the output memory, which {@link #resetOutput} empties. */
    public void reset() {
        enter();
        try {
            memory.clear();
            position = 0;
            hasRead = false;
        } finally {
            leave();
        }
    }

    /** Empties the output memory, and that alone; without one there is nothing to do. */
    public void resetOutput() {
        alone(() -> output.map(AdaptedHead::cleared));
    }

    /** The parts of the output memory.
     *  @return nothing if the session was opened without */
    public Optional<OutputMemory> outputMemory() {
        return outputForm;
    }

    /** What the output memory has been worth so far: surprise at every token that was fed after another one.
     *  @return nats, in total; nothing if the session was opened without */
    public Optional<OutputGain> outputGain() {
        return alone(() -> output.map(AdaptedHead::gain));
    }

    /** Writes what was learned, whole or not at all.
     *
     * @param file its place
     * @throws IOException if that fails */
    public void saveMemory(Path file) throws IOException {
        enter();
        try {
            MemoryFile.save(file, architecture(), model.fingerprint(), memory.copies(),
                    output.map(AdaptedHead::save));
        } finally {
            leave();
        }
    }

    /** Goes on from what was learned elsewhere; what this session knew is forgotten.
     *
     * @param file a memory file of the same model
     * @throws IOException if it is another model's or cannot be read: then nothing has changed */
    public void loadMemory(Path file) throws IOException {
        enter();
        try {
            MemoryFile saved = MemoryFile.read(file, architecture(), model.fingerprint());
            Optional<AdaptedHead> loaded = output.isPresent()
                    ? Optional.of(output.get().loaded(file, saved.output()))
                    : output;
            memory.restore(saved.memories());
            output = loaded;
            position = 0;
            hasRead = false;
        } finally {
            leave();
        }
    }

    /** What was learned, layer by layer.
     *  @return copies, flat in row order; of a memory layer {@link io.github.bitttt.nn.TttState} with weights [H, d, d], previous [D], feature [H, d] */
    public List<MixerState<float[]>> memories() {
        return alone(memory::copies);
    }

    /** The Frobenius norm of each layer's W: how much was learned.
     *  @return one number for each layer, 0 for attention, which has no W */
    public double[] memoryNorms() {
        return alone(memory::norms);
    }

    /** Tokens read since the memory was empty or loaded. Any thread may ask, also while the session is at work or closed.
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
        if (closed) {
            return "Session[closed]";
        }
        String read = "Session[" + position + " tokens read, ";
        // A debugger or a log may ask at any time: it must neither throw nor read numbers that are being written.
        if (!atWork.compareAndSet(false, true)) {
            return read + "at work]";
        }
        try {
            return read + memory + "]";
        } finally {
            leave();
        }
    }
}
