package io.github.bitttt.llama.generate;

import java.util.Locale;

/**
 * What an output memory has been worth.
 *
 * @param tokens     that were predicted
 * @param frozenNats surprise of the frozen model at them, in total
 * @param nats       surprise of the mixture, at most ln 2 more
 */
public record OutputGain(long tokens, double frozenNats, double nats) {
    @Override
    public String toString() {
        return String.format(Locale.ROOT, "OutputGain[%,d tokens, nats per token %.4f frozen, %.4f adapted]", tokens,
                frozenNats / Math.max(1, tokens), nats / Math.max(1, tokens));
    }
}
