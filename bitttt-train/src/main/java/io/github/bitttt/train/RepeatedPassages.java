package io.github.bitttt.train;

import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;

/**
 * Which stretches of a training text hold passages twice in a row, and where their tokens come from: a function of the seed and
 * the stretch's number alone, so that every process that trains sees the same.
 *
 * @param share  of the stretches, in [0, 1]
 * @param window T; a passage has between T / 8 and T / 2 tokens, drawn for the stretch
 * @param seed   of the order of windows
 */
public record RepeatedPassages(double share, int window, long seed) {
    /** The order in which a stretch's tokens are read.
     *
     * @param stretch its number, from 0
     * @return from a token's place in what is read to its place in the stretch */
    public IntUnaryOperator of(long stretch) {
        SplittableRandom random = new SplittableRandom(seed ^ ~stretch);
        if (random.nextDouble() >= share) {
            return at -> at;
        }
        int passage = random.nextInt(Math.max(1, window / 8), Math.max(1, window / 2) + 1);
        return at -> at / (2 * passage) * passage + at % passage;
    }
}
