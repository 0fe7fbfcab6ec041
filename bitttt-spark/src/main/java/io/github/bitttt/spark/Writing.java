package io.github.bitttt.spark;

import io.github.bitttt.llama.generate.GenerationOptions;
import java.io.Serializable;

/**
 * How much is written, and how it is chosen: what replaces the model's defaults. The same seed, prompt and memory give the same text,
 * whatever the partitions.
 *
 * @param options a JSON object of names that {@link GenerationOptions} explains, such as {@code {"max_new_tokens": 40, "seed": 7}}
 */
public record Writing(String options) implements Serializable {
    /** Checks the names and values. */
    public Writing {
        GenerationOptions.DEFAULTS.withJson(options);
    }

    /** The usual three.
     *
     * @param tokens      the most tokens of a row
     * @param temperature 0 takes the likeliest token
     * @param seed        same seed, same text */
    public Writing(int tokens, double temperature, long seed) {
        this("{\"max_new_tokens\": " + tokens + ", \"temperature\": " + temperature + ", \"seed\": " + seed + "}");
    }
}
