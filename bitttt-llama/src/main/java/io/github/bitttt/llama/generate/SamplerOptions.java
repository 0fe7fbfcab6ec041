package io.github.bitttt.llama.generate;

/**
 * How the next token is chosen.
 *
 * @param temperature       divides the logits; 0 takes the likeliest token
 * @param topK              only the k likeliest tokens; 0 for all
 * @param topP              only the likeliest tokens that together have this probability, in (0, 1]
 * @param repetitionPenalty divides the positive logits and multiplies the negative ones of tokens already seen; 1 for none
 * @param sequencePenalty   lowers the logit of a token that followed the last three tokens before: by this, times 1.75 for each token
 *                          more that agrees (DRY, github.com/oobabooga/text-generation-webui/pull/5677); 0 for none
 * @param seed              same seed, same choices
 */
public record SamplerOptions(double temperature, int topK, double topP, double repetitionPenalty,
        double sequencePenalty, long seed) {
    /** Always the likeliest token. */
    public static final SamplerOptions GREEDY = new SamplerOptions(0, 0, 1, 1, 0, 0);

    /** Checks every value. */
    public SamplerOptions {
        if (!(temperature >= 0 && temperature < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("temperature must be at least 0, got " + temperature);
        }
        if (topK < 0) {
            throw new IllegalArgumentException("top_k must be at least 0, got " + topK);
        }
        if (!(topP > 0 && topP <= 1)) {
            throw new IllegalArgumentException("top_p must be above 0 and at most 1, got " + topP);
        }
        if (!(repetitionPenalty >= 1 && repetitionPenalty < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("repetition_penalty must be at least 1, got " + repetitionPenalty);
        }
        if (!(sequencePenalty >= 0 && sequencePenalty < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("sequence_penalty must be at least 0, got " + sequencePenalty);
        }
    }

    /** Without a sequence penalty.
     *
     * @param temperature       divides the logits
     * @param topK              only the k likeliest tokens
     * @param topP              only the likeliest tokens of this probability
     * @param repetitionPenalty of tokens already seen
     * @param seed              same seed, same choices */
    public SamplerOptions(double temperature, int topK, double topP, double repetitionPenalty, long seed) {
        this(temperature, topK, topP, repetitionPenalty, 0, seed);
    }
}
