package io.github.bitttt.llama.generate;

import io.github.bitttt.llama.text.StreamDecoder;
import io.github.bitttt.llama.text.Tokenizer;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BooleanSupplier;

/**
 * A text that is being written: an iterator over its tokens, each of which is read or written when it is asked for.
 *
 * <pre>{@code
 * for (Token token : session.generate("Once upon a time")) {
 *     System.out.print(token.text());
 * }
 * }</pre>
 *
 * <p>A prompt is read in slices of {@value #SLICE} tokens, and with {@link GenerationOptions#echo} one by one. When a token comes out
 * the session has read it, and the one after it has been chosen already: so the last token is known as such, and its text has all
 * that was held back. For one thread, but for {@link #cancel()}; it can be walked through once, and who stops asking need not end it.
 */
public final class Generation implements Iterator<Token>, Iterable<Token> {
    /** Tokens of a prompt that are read at once. */
    static final int SLICE = 64;

    private final Session session;
    private final GenerationOptions options;
    private final Sampler sampler;
    private final BooleanSupplier interrupted;
    private final int[] prompt;
    private final int kept; // of the prompt: read before
    private final int[] endTokens;
    private final StreamDecoder promptDecoder;
    private final StreamDecoder decoder;
    private final StopFilter filter;
    private volatile boolean cancelled;
    private boolean answers;
    private int read; // of the prompt
    private int tokens; // written
    private boolean promised; // hasNext() has said so
    private int chosen; // the next token to write, once the prompt is read
    private double logProbability; // of it
    private Optional<Finish> finish = Optional.empty();

    /** A text that goes on with a prompt, of which the session has read the first {@code kept} tokens already. */
    Generation(Session session, int[] prompt, int kept, GenerationOptions options, Sampler sampler,
            BooleanSupplier interrupted) {
        Tokenizer tokenizer = session.model().tokenizer();
        this.session = session;
        this.options = options;
        this.sampler = sampler;
        this.interrupted = interrupted;
        this.kept = kept;
        read = kept;
        this.prompt = prompt.length > 0
                ? prompt.clone()
                : new int[]{tokenizer.endOfText().orElseThrow(() -> new IllegalArgumentException(
                        "the prompt is empty, and the tokenizer has no " + Tokenizer.END_OF_TEXT + " to begin with"))};
        endTokens = options.endTokens().isEmpty()
                ? tokenizer.endOfText().stream().toArray()
                : options.endTokens().stream().mapToInt(Integer::intValue).toArray();
        promptDecoder = tokenizer.streamDecoder();
        decoder = tokenizer.streamDecoder();
        filter = new StopFilter(options.stop());
    }

    /** Why a text ended. */
    public enum Finish {
        /** The model wrote an end token. */
        END_OF_TEXT,
        /** It wrote a stop text. */
        STOP_TEXT,
        /** As many tokens as were asked for, or as the model's context takes. */
        LIMIT,
        /** Somebody stopped it. */
        CANCELLED
    }

    /**
     * What was read and written.
     *
     * @param promptTokens of the prompt that the session has read
     * @param tokens       that were written, the end token not counted
     */
    public record Usage(int promptTokens, int tokens) {}

    /**
     * A whole text.
     *
     * @param text   of its tokens
     * @param finish why it ended
     * @param usage  of tokens
     */
    public record Result(String text, Finish finish, Usage usage) {}

    /** Whether another token comes. The first call reads the prompt, unless the prompt's own tokens are asked for.
     *
     * @return false once the text has ended */
    @Override
    public boolean hasNext() {
        if (promised) {
            return true;
        }
        if (finish.isEmpty() && read < prompt.length && !options.echo()) {
            readPrompt();
        }
        if (finish.isPresent() || read > 0 && isCancelled()) {
            return false;
        }
        promised = true;
        return true;
    }

    private void readPrompt() {
        while (read < prompt.length) {
            if (read > 0 && isCancelled()) {
                return;
            }
            int to = Math.min(prompt.length, read + SLICE);
            session.feed(prompt, read, to, to == prompt.length);
            read = to;
        }
        begin();
    }

    private boolean isCancelled() {
        if (cancelled || interrupted.getAsBoolean()) {
            finish = Optional.of(Finish.CANCELLED);
        }
        return finish.isPresent();
    }

    /** The same text as the answer of a chat: what follows it in this session must close it. */
    Generation answering() {
        answers = true;
        return this;
    }

    private void begin() {
        session.memory().answering(answers);
        sampler.seen(prompt);
        choose(session.known());
    }

    /** Chooses the next token, or ends the text. */
    private void choose(float[] logits) {
        if (tokens == options.maxNewTokens() || !session.memory().hasRoom()) {
            finish = Optional.of(Finish.LIMIT);
            return;
        }
        chosen = sampler.pick(logits);
        for (int end : endTokens) {
            if (chosen == end) {
                finish = Optional.of(Finish.END_OF_TEXT);
                return;
            }
        }
        logProbability = Token.logProbability(logits, chosen);
    }

    /** Reads or writes the next token.
     *
     * @return the token, which the session has read by then
     * @throws NoSuchElementException if the text has ended */
    @Override
    public Token next() {
        if (!hasNext()) {
            throw new NoSuchElementException("the text has ended: " + finish.orElseThrow());
        }
        promised = false;
        return read < prompt.length ? echoed() : written();
    }

    private Token echoed() {
        int id = prompt[read];
        double given = session.hasRead() ? Token.logProbability(session.known(), id) : Double.NaN;
        session.feed(id);
        read++;
        boolean begins = read == 1 && OptionalInt.of(id).equals(session.model().tokenizer().beginOfText());
        String text = begins ? "" : promptDecoder.next(id); // nobody wrote it
        if (read == prompt.length) {
            text += promptDecoder.end();
            begin();
        }
        return new Token(id, text, given, true);
    }

    private Token written() {
        int id = chosen;
        double given = logProbability;
        float[] logits = session.feed(id);
        tokens++;
        boolean isText = id < session.model().tokenizer().vocabSize(); // behind it are rows that no tokenizer has
        String text = filter.next(isText ? decoder.next(id) : "");
        if (filter.stopped()) {
            finish = Optional.of(Finish.STOP_TEXT);
        } else {
            choose(logits);
            if (finish.isPresent()) {
                text += filter.next(decoder.end()) + filter.rest();
            }
        }
        return new Token(id, text, given, false);
    }

    /** Ends the text before its next token or the next slice of its prompt; from any thread. */
    public void cancel() {
        cancelled = true;
    }

    /** Why the text ended; known as soon as its last token is.
     *
     * @return nothing while it goes on */
    public Optional<Finish> finish() {
        return finish;
    }

    /** What was read and written so far.
     *
     * @return counts of tokens */
    public Usage usage() {
        return new Usage(read, tokens);
    }

    /** How many of the prompt's tokens the session had read before, see {@link Session#resume}.
     *
     * @return from 0 */
    public int kept() {
        return kept;
    }

    /** The rest of the text, to its end.
     *
     * @return text of the tokens that nobody has asked for yet, why it ended, and what it took */
    public Result result() {
        StringBuilder text = new StringBuilder();
        forEachRemaining(token -> text.append(token.text()));
        return new Result(text.toString(), finish.orElseThrow(), usage());
    }

    /** This very iterator: a text is written once.
     *
     * @return this */
    @Override
    public Iterator<Token> iterator() {
        return this;
    }

    @Override
    public String toString() {
        return "Generation[" + read + " of " + prompt.length + " prompt tokens read, " + tokens + " written, "
                + finish.map(Finish::toString).orElse("goes on") + "]";
    }
}
