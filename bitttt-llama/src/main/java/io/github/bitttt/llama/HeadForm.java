package io.github.bitttt.llama;

/**
 * The form of the head.
 *
 * @param tied whether its matrix is the embedding
 * @param bias whether it adds a bias (imported checkpoints do)
 */
public record HeadForm(boolean tied, boolean bias) {
    /** A matrix of its own, no bias. */
    public static final HeadForm OWN = new HeadForm(false, false);
}
