package io.github.bitttt.capi;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.chat.ChatMessage;
import io.github.bitttt.llama.generate.Generation;
import io.github.bitttt.llama.generate.GenerationOptions;
import io.github.bitttt.llama.generate.Sampler;
import java.nio.charset.StandardCharsets;

/** A text that is being written in a session. */
final class OpenGeneration {
    private static final byte[] NOTHING = new byte[0];

    private final OpenSession session;
    private final Generation generation;
    // A piece that did not fit yet.
    private byte[] pending = NOTHING;

    OpenGeneration(OpenSession session, String prompt, String options) throws Exception {
        this.session = session;
        Named named = Named.of(options);
        generation = session.use(open -> {
            GenerationOptions chosen = open.model().defaults().withJson(named.options());
            if (named.messages()) {
                return open.chat(ChatMessage.parse(prompt), chosen, Sampler.of(chosen.sampling()), session.cancelled());
            }
            return open.generate(open.encode(prompt), chosen, Sampler.of(chosen.sampling()),
                    session.cancelled());
        });
    }

    /** The options of a text, and whether its prompt is messages. */
    private record Named(String options, boolean messages) {
        private static final String MESSAGES = "messages";
        private static final ObjectMapper JSON = new ObjectMapper();

        static Named of(String options) {
            try {
                if (JSON.readTree(options) instanceof ObjectNode all && all.has(MESSAGES)) {
                    JsonNode flag = all.remove(MESSAGES);
                    if (!flag.isBoolean()) {
                        throw new IllegalArgumentException(MESSAGES + " must be true or false, got " + flag);
                    }
                    return new Named(all.toString(), flag.booleanValue());
                }
            } catch (JsonProcessingException _) {
                // Who reads the options says what is wrong with them.
            }
            return new Named(options, false);
        }
    }

    /** Writes the next piece to the caller's buffer and says how the text ended: 0 while it goes on. */
    synchronized void next(long buffer, long capacity, long lengthAddress, long endAddress) throws Exception {
        if (pending.length == 0) {
            pending = session.use(_ -> piece()).getBytes(StandardCharsets.UTF_8);
        }
        ForeignMemory.writeInt(endAddress, generation.finish().map(OpenGeneration::number).orElse(0));
        ForeignMemory.writeText(pending, buffer, capacity, lengthAddress);
        pending = NOTHING;
    }

    /** The text of as many tokens as give one; empty at the end. */
    private String piece() {
        String text = "";
        while (text.isEmpty() && generation.hasNext()) {
            text = generation.next().text();
        }
        return text;
    }

    private static int number(Generation.Finish finish) {
        return switch (finish) {
            case END_OF_TEXT -> 1;
            case LIMIT -> 2;
            case CANCELLED -> 3;
            case STOP_TEXT -> 4;
        };
    }
}
