package io.github.bitttt.spark;

import java.time.Duration;
import java.util.Locale;

/**
 * One round: the workers train, then they agree.
 *
 * @param round           its number, from 1
 * @param step            steps made so far by each worker, this round's included
 * @param tokens          trained so far by all workers together
 * @param loss            mean cross entropy of the round's batches, each before its step, in nats per token
 * @param bytes           that crossed between processes if every worker is one: weights out, changes in, their mean to the driver
 * @param elapsed         what the round took
 * @param tokensPerSecond of the round
 */
public record RoundResult(long round, long step, long tokens, double loss, long bytes, Duration elapsed,
        double tokensPerSecond) {

    @Override
    public String toString() {
        return String.format(Locale.ROOT, "round %d, step %d, %,d tokens: loss %.4f nats, %,d bytes, %,.0f tokens/s",
                round,
                step, tokens, loss, bytes, tokensPerSecond);
    }
}
