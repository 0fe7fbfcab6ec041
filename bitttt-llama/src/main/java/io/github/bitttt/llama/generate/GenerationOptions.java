package io.github.bitttt.llama.generate;

import java.util.List;
import java.util.Map;

/**
 * How a text is written. Every door of bitttt begins with those of the model ({@link Model#defaults()}) and replaces what its user names.
 *
 * <p>The names, in a {@code generation_config.json}, in {@link #with(String, Object)} and behind every door, are Hugging Face's:
 * {@code temperature}, {@code top_k}, {@code top_p}, {@code repetition_penalty}, {@code max_new_tokens}, {@code eos_token_id}; and
 * {@code sequence_penalty}, {@code seed}, {@code stop} and {@code echo} of our own.
 *
 * @param sampling     how each token is chosen
 * @param maxNewTokens the most tokens to write, at least 0
 * @param stop         texts that end the answer and are not part of it; none is empty
 * @param endTokens    ids of tokens that end it; without any, the tokenizer's end of text does
 * @param echo         begin with the tokens of the prompt
 */
public record GenerationOptions(SamplerOptions sampling, int maxNewTokens, List<String> stop, List<Integer> endTokens,
        boolean echo) {
    /** Of a model whose folder says nothing: temperature 0.8, the 12 likeliest tokens, 90% of them, no repetition penalty, sequence
     * penalty 0.8, seed 1, 300 tokens. On stories 0.4% of the words that these write are not in the training text; 4% are at
     * temperature 1 over all tokens. */
    public static final GenerationOptions DEFAULTS = new GenerationOptions(
            new SamplerOptions(0.8, 12, 0.9, 1, 0.8, 1), 300, List.of(), List.of(), false);

    /** Checks the values and makes the lists unmodifiable. */
    public GenerationOptions {
        if (maxNewTokens < 0) {
            throw new IllegalArgumentException("max_new_tokens must be at least 0, got " + maxNewTokens);
        }
        stop = List.copyOf(stop);
        if (stop.contains("")) {
            throw new IllegalArgumentException("a stop text must not be empty");
        }
        endTokens = List.copyOf(endTokens);
        for (int id : endTokens) {
            if (id < 0) {
                throw new IllegalArgumentException("eos_token_id must be at least 0, got " + id);
            }
        }
    }

    /** The same with one value replaced by its name.
     *
     * @param name  as above
     * @param value a number or its text; for {@code stop} a text or a list of them, for {@code eos_token_id} an id or a list
     * @return new options
     * @throws IllegalArgumentException if there is no such name, or its value is out of range */
    public GenerationOptions with(String name, Object value) {
        return OptionNames.replace(this, name, value);
    }

    /** The same with several values replaced.
     *
     * @param values by their names
     * @return new options */
    public GenerationOptions with(Map<String, ?> values) {
        GenerationOptions options = this;
        for (Map.Entry<String, ?> entry : values.entrySet()) {
            options = options.with(entry.getKey(), entry.getValue());
        }
        return options;
    }

    /** The same with the values of a JSON object replaced.
     *
     * @param json such as {@code {"temperature": 0.5, "stop": ["\n"]}}
     * @return new options
     * @throws IllegalArgumentException if it is no JSON object, has other names, or values out of range */
    public GenerationOptions withJson(String json) {
        return OptionNames.replaceAll(this, json);
    }

    /** All values by their names: what {@link #withJson} reads.
     *
     * @return a JSON object */
    public String json() {
        return OptionNames.json(this);
    }

    /** The same with another sampling.
     *
     * @param other how each token is chosen
     * @return new options */
    public GenerationOptions withSampling(SamplerOptions other) {
        return new GenerationOptions(other, maxNewTokens, stop, endTokens, echo);
    }

    /** The same at another temperature.
     *
     * @param temperature 0 takes the likeliest token
     * @return new options */
    public GenerationOptions withTemperature(double temperature) {
        return with(OptionNames.TEMPERATURE, temperature);
    }

    /** The same among another number of tokens.
     *
     * @param topK only the k likeliest; 0 for all
     * @return new options */
    public GenerationOptions withTopK(int topK) {
        return with(OptionNames.TOP_K, topK);
    }

    /** The same within another probability.
     *
     * @param topP of the likeliest tokens together, in (0, 1]
     * @return new options */
    public GenerationOptions withTopP(double topP) {
        return with(OptionNames.TOP_P, topP);
    }

    /** The same with another seed.
     *
     * @param seed same seed, same text
     * @return new options */
    public GenerationOptions withSeed(long seed) {
        return with(OptionNames.SEED, seed);
    }

    /** The same with another limit.
     *
     * @param tokens the most to write
     * @return new options */
    public GenerationOptions withMaxNewTokens(int tokens) {
        return with(OptionNames.MAX_NEW_TOKENS, tokens);
    }

    /** The same with other texts that end the answer.
     *
     * @param texts that end it, and are not part of it
     * @return new options */
    public GenerationOptions withStop(String... texts) {
        return new GenerationOptions(sampling, maxNewTokens, List.of(texts), endTokens, echo);
    }

    /** The same with other tokens that end the answer.
     *
     * @param ids of them
     * @return new options */
    public GenerationOptions withEndTokens(List<Integer> ids) {
        return new GenerationOptions(sampling, maxNewTokens, stop, ids, echo);
    }

    /** The same, with or without the prompt's tokens before those that are written.
     *
     * @param prompt whether they come
     * @return new options */
    public GenerationOptions withEcho(boolean prompt) {
        return new GenerationOptions(sampling, maxNewTokens, stop, endTokens, prompt);
    }
}
