package io.github.bitttt.server;

import io.github.bitttt.llama.generate.Sampler;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.measure.Evaluation;
import io.github.bitttt.llama.text.StreamDecoder;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.util.Arrays;

/** One answer: reads the prompt, writes tokens, and makes room for other answers after each. For one thread. */
final class Generation {
    /** Tokens of a prompt between two looks at the clock. */
    private static final int BLOCK = 64;

    private final CompletionRequest request;
    private final Session session;
    private final Guard guard;
    private final Listener listener;
    private final Tokenizer tokenizer;
    private float[] logits;

    Generation(CompletionRequest request, SessionStore.Kept kept, Guard guard, Listener listener) {
        this.request = request;
        this.session = kept.session();
        this.logits = kept.logits();
        this.guard = guard;
        this.listener = listener;
        this.tokenizer = session.model().tokenizer();
    }

    /** Asked between tokens. */
    @FunctionalInterface
    interface Guard {
        /** Whether to go on.
         *  @throws ApiException if the answer takes too long or the server is closing */
        void check() throws ApiException;
    }

    /** Hears the answer. */
    interface Listener {
        /** A token was read or written.
         *
         * @param prompt   it is the client's
         * @param text     that it completes
         * @param surprise in nats; NaN if nothing had been read before it
         * @throws IOException if the client is gone */
        void token(boolean prompt, String text, double surprise) throws IOException;
    }

    /**
     * What came of it.
     *
     * @param promptTokens read
     * @param tokens       written
     * @param reason       OpenAI's finish reason
     */
    record Outcome(int promptTokens, int tokens, String reason) {}

    /** After the last token that was read or written; empty before the first. A buffer of the session. */
    float[] logits() {
        return logits;
    }

    /** Reads and writes. */
    Outcome run() throws ApiException, IOException {
        int[] ids = tokenizer.encode(request.prompt());
        if (ids.length == 0) {
            ids = new int[]{tokenizer.endOfText().orElseThrow(
                    () -> ApiException.invalid("prompt",
                            "the prompt is empty, and this model has no token to begin with"))};
        }
        if (request.watch().isPresent()) {
            readEach(ids);
        } else {
            readBlocks(ids);
        }
        Sampler sampler = new Sampler(request.sampler());
        sampler.seen(ids);
        StopFilter filter = new StopFilter(request.stop());
        StreamDecoder decoder = tokenizer.streamDecoder();
        int written = 0;
        String reason = "length";
        while (written < request.tokens()) {
            guard.check();
            int id = sampler.pick(logits);
            if (tokenizer.endOfText().isPresent() && id == tokenizer.endOfText().getAsInt()) {
                reason = "stop";
                break;
            }
            double surprise = Evaluation.surprise(logits, id);
            logits = session.feed(id);
            written++;
            listener.token(false, filter.next(decoder.next(id)), surprise);
            if (filter.stopped()) {
                reason = "stop";
                break;
            }
            // Virtual threads are not preempted: without this two answers would hold both cores until they end.
            Thread.yield();
        }
        String rest = (filter.stopped() ? "" : filter.next(decoder.end())) + filter.rest();
        if (!rest.isEmpty()) {
            listener.token(false, rest, Double.NaN);
        }
        return new Outcome(ids.length, written, reason);
    }

    private void readBlocks(int[] ids) throws ApiException {
        for (int from = 0; from < ids.length; from += BLOCK) {
            guard.check();
            logits = session.feed(Arrays.copyOfRange(ids, from, Math.min(ids.length, from + BLOCK)));
            Thread.yield();
        }
    }

    private void readEach(int[] ids) throws ApiException, IOException {
        StreamDecoder decoder = tokenizer.streamDecoder();
        for (int id : ids) {
            guard.check();
            double surprise = logits.length == 0 ? Double.NaN : Evaluation.surprise(logits, id);
            logits = session.feed(id);
            listener.token(true, decoder.next(id), surprise);
            Thread.yield();
        }
    }
}
