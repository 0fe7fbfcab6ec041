package io.github.bitttt.spark;

import java.io.Serializable;

/**
 * How much is written, and how it is chosen.
 *
 * @param tokens      the most tokens of a row
 * @param temperature 0 takes the likeliest token
 * @param seed        same seed, same prompt, same memory: same text, whatever the partitions
 */
public record Writing(int tokens, double temperature, long seed) implements Serializable {
    /** Checks the values. */
    public Writing {
        if (tokens < 0) {
            throw new IllegalArgumentException("tokens to write must be at least 0, got " + tokens);
        }
        if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("temperature must be at least 0, got " + temperature);
        }
    }
}
