package io.github.bitttt.train;

import java.time.Duration;
import java.util.Locale;

/**
 * One training step.
 *
 * @param step            its number, from 1
 * @param tokens          trained so far, this step's included
 * @param loss            mean cross entropy before the step, in nats per token
 * @param gradientNorm    before clipping
 * @param rate            learning rate
 * @param elapsed         what the step took
 * @param tokensPerSecond of this step
 */
public record StepResult(long step, long tokens, double loss, double gradientNorm, double rate, Duration elapsed,
        double tokensPerSecond) {

    @Override
    public String toString() {
        return String.format(Locale.ROOT,
                "step %d, %,d tokens: loss %.4f nats, gradient %.3f, rate %.2e, %,.0f tokens/s", step,
                tokens, loss, gradientNorm, rate, tokensPerSecond);
    }
}
