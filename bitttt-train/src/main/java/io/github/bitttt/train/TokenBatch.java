package io.github.bitttt.train;

/**
 * The tokens of some windows.
 *
 * @param inputs  [n * T], all tokens of the first window first
 * @param targets [n * T], the tokens that follow
 * @param weights [n * T], 1 for targets that count and 0 for others
 */
public record TokenBatch(int[] inputs, int[] targets, float[] weights) {
    /** How many targets count.
     *  @return the sum of the weights */
    public double counted() {
        double sum = 0;
        for (float weight : weights) {
            sum += weight;
        }
        return sum;
    }
}
