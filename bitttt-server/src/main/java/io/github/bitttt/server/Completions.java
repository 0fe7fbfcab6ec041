package io.github.bitttt.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.nn.TttState;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Base64;

/** The answer to one request, in OpenAI's words: whole, or as a stream of events. For one thread. */
final class Completions {
    private final HttpExchange exchange;
    private final CompletionRequest request;
    private final boolean chat;
    private final String id;
    private final long created;
    private final String fingerprint;
    private final EventStream events;
    private Generation generation;

    Completions(HttpExchange exchange, CompletionRequest request, boolean chat, long number, InstantSource clock,
            String fingerprint) {
        this.exchange = exchange;
        this.request = request;
        this.chat = chat;
        this.id = (chat ? "chatcmpl-" : "cmpl-") + number;
        this.created = clock.instant().getEpochSecond();
        this.fingerprint = "bitttt-" + fingerprint.substring(0, 12);
        this.events = new EventStream(exchange);
    }

    /** Answers.
     *
     * @param kept  the session that reads and writes
     * @param guard asked between tokens
     * @throws ApiException if nothing has been sent yet */
    void answer(SessionStore.Kept kept, Generation.Guard guard) throws ApiException, IOException {
        StringBuilder text = new StringBuilder();
        generation = new Generation(request, kept, guard, request.stream()
                ? (prompt, piece, surprise) -> token(kept.session(), prompt, piece, surprise)
                : (_, piece, _) -> text.append(piece));
        try {
            if (chat && request.stream()) {
                ObjectNode first = chunk("", null);
                ((ObjectNode) first.at("/choices/0/delta")).put("role", "assistant");
                events.send(first);
            }
            Generation.Outcome outcome = generation.run();
            if (request.stream()) {
                last(outcome);
            } else {
                Json.send(exchange, 200, whole(text.toString(), outcome));
            }
        } catch (ApiException e) {
            if (!events.begun()) {
                throw e;
            }
            events.send(e.json());
            events.done();
        }
    }

    /** The logits that the session ended with, however the answer ended. */
    float[] logits() {
        return generation.logits();
    }

    private void token(Session session, boolean prompt, String piece, double surprise) throws IOException {
        if (piece.isEmpty() && request.watch().isEmpty()) {
            return;
        }
        ObjectNode chunk = chunk(prompt ? "" : piece, null);
        if (request.watch().isPresent()) {
            ObjectNode own = chunk.putObject("bitttt");
            own.put("prompt", prompt).put("text", piece).put("position", session.position());
            if (!Double.isNaN(surprise)) {
                own.put("surprise", surprise);
            }
            if (session.memories().get(request.watch().getAsInt()) instanceof TttState<float[]> memory) {
                memory(own, memory);
            }
        }
        events.send(chunk);
    }

    /** W as signed bytes, row by row, and what 127 stands for. */
    private static void memory(ObjectNode own, TttState<float[]> memory) {
        float[] w = memory.weights();
        float largest = 0;
        double squares = 0;
        for (float value : w) {
            largest = Math.max(largest, Math.abs(value));
            squares += (double) value * value;
        }
        byte[] codes = new byte[w.length];
        for (int i = 0; i < w.length && largest > 0; i++) {
            codes[i] = (byte) Math.round(127 * w[i] / largest);
        }
        own.put("norm", Math.sqrt(squares)).put("largest", largest).put("memory",
                Base64.getEncoder().encodeToString(codes));
    }

    private void last(Generation.Outcome outcome) throws IOException {
        events.send(chunk("", outcome.reason()));
        if (request.usage()) {
            ObjectNode usage = head(chat ? "chat.completion.chunk" : "text_completion");
            usage.putArray("choices");
            usage(usage, outcome);
            events.send(usage);
        }
        events.done();
    }

    private ObjectNode head(String object) {
        return JsonNodeFactory.instance.objectNode().put("id", id).put("object", object).put("created", created)
                .put("model", request.model()).put("system_fingerprint", fingerprint);
    }

    private ObjectNode chunk(String piece, String reason) {
        ObjectNode chunk = head(chat ? "chat.completion.chunk" : "text_completion");
        ObjectNode choice = chunk.putArray("choices").addObject().put("index", 0).putNull("logprobs")
                .put("finish_reason", reason);
        if (!chat) {
            choice.put("text", piece);
        } else {
            ObjectNode delta = choice.putObject("delta");
            if (!piece.isEmpty()) {
                delta.put("content", piece);
            }
        }
        return chunk;
    }

    private ObjectNode whole(String text, Generation.Outcome outcome) {
        ObjectNode answer = head(chat ? "chat.completion" : "text_completion");
        ObjectNode choice = answer.putArray("choices").addObject().put("index", 0).putNull("logprobs")
                .put("finish_reason", outcome.reason());
        if (chat) {
            choice.putObject("message").put("role", "assistant").put("content", text);
        } else {
            choice.put("text", text);
        }
        usage(answer, outcome);
        return answer;
    }

    private static void usage(ObjectNode answer, Generation.Outcome outcome) {
        answer.putObject("usage").put("prompt_tokens", outcome.promptTokens())
                .put("completion_tokens", outcome.tokens())
                .put("total_tokens", outcome.promptTokens() + outcome.tokens());
    }
}
