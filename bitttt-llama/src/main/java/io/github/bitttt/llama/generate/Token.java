package io.github.bitttt.llama.generate;

/**
 * A token that a session has just read: of the prompt, or one that it wrote.
 *
 * <p>Its string is its text, so {@code generation.forEach(System.out::print)} prints what is written.
 *
 * @param id             in the vocabulary
 * @param text           the characters that can be shown now: whole ones, often none, and sometimes those of tokens before it
 * @param logProbability log of the probability that the model gave it, before the sampler's options; NaN if nothing had been read
 *                       before it
 * @param prompt         it was given, not written
 */
public record Token(int id, String text, double logProbability, boolean prompt) {
    /** The log-probability of a token: log softmax(logits)[id], in double.
     *
     * @param logits [V] of the token
     * @param id     the token
     * @return at most 0 */
    public static double logProbability(float[] logits, int id) {
        float largest = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            largest = Math.max(largest, logit);
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit - largest);
        }
        return logits[id] - largest - Math.log(sum);
    }

    @Override
    public String toString() {
        return text;
    }
}
