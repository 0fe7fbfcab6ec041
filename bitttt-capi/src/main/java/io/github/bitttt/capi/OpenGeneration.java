package io.github.bitttt.capi;

import io.github.bitttt.llama.generate.Generation;
import io.github.bitttt.llama.generate.Generator;
import io.github.bitttt.llama.generate.Sampler;
import io.github.bitttt.llama.generate.SamplerOptions;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/** A text that is being written in a session. */
final class OpenGeneration {
    private static final byte[] NOTHING = new byte[0];

    private final OpenSession session;
    private final Generation generation;
    // A piece that did not fit yet.
    private byte[] pending = NOTHING;

    OpenGeneration(OpenSession session, String prompt, int limit, SamplerOptions options) throws Exception {
        this.session = session;
        generation = session
                .use(open -> new Generator(open, new Sampler(options), session.cancelled()).begin(prompt, limit));
    }

    /** Writes the next piece to the caller's buffer and says how the text ended: 0 while it goes on. */
    synchronized void next(long buffer, long capacity, long lengthAddress, long endAddress) throws Exception {
        if (pending.length == 0) {
            Optional<String> piece = session.use(_ -> generation.next());
            pending = piece.map(text -> text.getBytes(StandardCharsets.UTF_8)).orElse(NOTHING);
        }
        ForeignMemory.writeInt(endAddress, generation.end().map(OpenGeneration::number).orElse(0));
        ForeignMemory.writeText(pending, buffer, capacity, lengthAddress);
        pending = NOTHING;
    }

    private static int number(Generator.End end) {
        return switch (end) {
            case END_OF_TEXT -> 1;
            case LIMIT -> 2;
            case CANCELLED -> 3;
        };
    }
}
