package io.github.bitttt.server;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import io.github.bitttt.llama.chat.ChatMessage;
import io.github.bitttt.llama.generate.ContextLimitException;
import io.github.bitttt.llama.generate.Generation;
import io.github.bitttt.llama.generate.GenerationOptions;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Sampler;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.generate.Token;
import java.io.IOException;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import java.util.function.BooleanSupplier;

/** The answer to one request, in OpenAI's words: whole, or as a stream of events. For one thread. */
final class Completions {
    private final HttpExchange exchange;
    private final CompletionRequest request;
    private final boolean chat;
    private final String id;
    private final long created;
    private final String fingerprint;
    private final EventStream events;

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

    /** Asked between tokens. */
    @FunctionalInterface
    interface Guard {
        /** Whether to go on.
         *  @throws ApiException if the answer takes too long or the server is closing */
        void check() throws ApiException;
    }

    /** The whole text that is to be gone on with, from its first token.
     *
     * @throws ApiException if the model's format has no form for it */
    int[] text(Model model) throws ApiException {
        try {
            return chat ? model.chat().first(request.messages()) : model.encode(request.prompt());
        } catch (IllegalArgumentException e) {
            throw ApiException.invalid(chat ? "messages" : "prompt", Fields.shown(e.getMessage()));
        }
    }

    /** Answers.
     *
     * @param session that reads and writes
     * @param whole   the text; left aside where the session is named, for it has read what was said before
     * @param guard   asked between tokens
     * @throws ApiException if nothing has been sent yet */
    void answer(Session session, int[] whole, Guard guard) throws ApiException, IOException {
        Generation generation = begin(session, whole, guard);
        try {
            if (chat && request.stream()) {
                ObjectNode first = chunk("", null);
                ((ObjectNode) first.at("/choices/0/delta")).put("role", "assistant");
                events.send(first);
            }
            StringBuilder text = new StringBuilder();
            for (Token token : generation) {
                if (request.stream()) {
                    token(session, token);
                } else {
                    text.append(token.text());
                }
            }
            if (generation.finish().orElseThrow() == Generation.Finish.CANCELLED) {
                guard.check();
            }
            if (request.stream()) {
                last(generation);
            } else {
                Json.send(exchange, 200, whole(text.toString(), generation));
            }
        } catch (ApiException e) {
            if (!events.begun()) {
                throw e;
            }
            events.send(e.json());
            events.done();
        }
    }

    private Generation begin(Session session, int[] whole, Guard guard) throws ApiException {
        GenerationOptions options = request.options();
        Sampler sampler = Sampler.of(options.sampling());
        BooleanSupplier over = () -> isOver(guard);
        try {
            if (request.session().isEmpty()) {
                return session.resume(whole, chat ? session.model().chatOptions(options) : options, sampler, over);
            }
            List<ChatMessage> all = request.messages();
            return chat
                    ? session.chat(session.position() == 0 ? all : all.subList(all.size() - 1, all.size()), options,
                            sampler, over)
                    : session.generate(session.encode(request.prompt()), options, sampler, over);
        } catch (ContextLimitException e) {
            throw new ApiException(400, "invalid_request_error", chat ? "messages" : "prompt",
                    "context_length_exceeded", e.getMessage());
        } catch (IllegalArgumentException e) {
            throw ApiException.invalid(chat ? "messages" : "prompt", Fields.shown(e.getMessage()));
        }
    }

    private static boolean isOver(Guard guard) {
        // Virtual threads are not preempted: without this two answers would hold both cores until they end.
        Thread.yield();
        try {
            guard.check();
            return false;
        } catch (ApiException e) {
            return true;
        }
    }

    private void token(Session session, Token token) throws IOException {
        if (token.text().isEmpty() && request.watch().isEmpty()) {
            return;
        }
        ObjectNode chunk = chunk(token.prompt() ? "" : token.text(), null);
        if (request.watch().isPresent()) {
            ObjectNode own = chunk.putObject("bitttt");
            own.put("prompt", token.prompt()).put("text", token.text()).put("position", session.position());
            if (!Double.isNaN(token.logProbability())) {
                own.put("surprise", -token.logProbability());
            }
            session.memories().get(request.watch().getAsInt()).learned().ifPresent(w -> memory(own, w));
        }
        events.send(chunk);
    }

    /** W as signed bytes, row by row, and what 127 stands for. */
    private static void memory(ObjectNode own, float[] w) {
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

    private void last(Generation generation) throws IOException {
        events.send(chunk("", reason(generation)));
        if (request.usage()) {
            ObjectNode usage = head(chat ? "chat.completion.chunk" : "text_completion");
            usage.putArray("choices");
            usage(usage, generation);
            events.send(usage);
        }
        events.done();
    }

    /** OpenAI's word for it. */
    private static String reason(Generation generation) {
        return generation.finish().orElseThrow() == Generation.Finish.LIMIT ? "length" : "stop";
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

    private ObjectNode whole(String text, Generation generation) {
        ObjectNode answer = head(chat ? "chat.completion" : "text_completion");
        ObjectNode choice = answer.putArray("choices").addObject().put("index", 0).putNull("logprobs")
                .put("finish_reason", reason(generation));
        if (chat) {
            choice.putObject("message").put("role", "assistant").put("content", text);
        } else {
            choice.put("text", text);
        }
        usage(answer, generation);
        return answer;
    }

    private static void usage(ObjectNode answer, Generation generation) {
        Generation.Usage usage = generation.usage();
        answer.putObject("usage").put("prompt_tokens", usage.promptTokens()).put("completion_tokens", usage.tokens())
                .put("total_tokens", usage.promptTokens() + usage.tokens()).putObject("prompt_tokens_details")
                .put("cached_tokens", generation.kept());
    }
}
