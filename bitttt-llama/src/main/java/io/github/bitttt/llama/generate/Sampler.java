package io.github.bitttt.llama.generate;

/**
 * Chooses the next token. The library's own one follows {@link SamplerOptions}; a program may bring another.
 *
 * <pre>{@code
 * Sampler likeliest = logits -> {
 *     int best = 0;
 *     for (int id = 1; id < logits.length; id++) {
 *         best = logits[id] > logits[best] ? id : best;
 *     }
 *     return best;
 * };
 * session.generate("Once upon a time", options, likeliest).forEach(System.out::print);
 * }</pre>
 *
 * <p>A sampler may remember what was said, so each text takes a new one, on one thread.
 */
@FunctionalInterface
public interface Sampler {
    /** Chooses a token.
     *
     * @param logits [V] of the next token; may not be changed, and not be kept
     * @return its id, from 0 to V - 1 */
    int pick(float[] logits);

    /** Hears the tokens that were there before the first choice. Does nothing unless a sampler cares.
     *
     * @param ids of the prompt */
    default void seen(int... ids) {
    }

    /** The library's sampler: repetition penalty, sequence penalty, temperature, top-k, top-p, then a draw. The same options,
     * seed and logits give the same tokens.
     *
     * @param options how to choose
     * @return a sampler that has chosen nothing yet */
    static Sampler of(SamplerOptions options) {
        return new StandardSampler(options);
    }

    /** A sampler of all tokens at a temperature, without penalties.
     *
     * @param temperature 0 takes the likeliest
     * @param seed        same seed, same choices
     * @return the sampler */
    static Sampler of(double temperature, long seed) {
        return of(new SamplerOptions(temperature, 0, 1, 1, seed));
    }
}
