package io.github.bitttt.train;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The factors of a graph's dropout: 0 for an element that is left out, 1 / (1 - rate) for one that is kept, so that the mean stays. */
final class Dropout {
    private static final int DRAWS = 1 << 16; // four draws of 16 bits from each random number

    private final int dropped; // of DRAWS
    private final List<INDArray> places;
    private boolean keeping = true;

    /** @param places factors [B * T, D], all 1 */
    Dropout(double rate, List<INDArray> places) {
        this.dropped = (int) Math.round(rate * DRAWS);
        this.places = places;
    }

    /** Draws the factors of windows, each by seed, number and place alone. */
    void draw(long seed, long firstWindow, int windows) {
        keeping = places.isEmpty();
        for (int place = 0; place < places.size(); place++) {
            long salt = Long.rotateLeft(seed, 32) + place * 0x9E3779B97F4A7C15L;
            float[] factors = new float[Math.toIntExact(places.get(place).length())];
            int size = factors.length / windows;
            IntStream.range(0, windows).parallel().forEach(window -> draw(
                    new SplittableRandom(salt ^ (firstWindow + window)), factors, window * size, (window + 1) * size));
            TrainingGraph.assign(places.get(place), factors);
        }
    }

    private void draw(SplittableRandom random, float[] factors, int from, int to) {
        float kept = (float) DRAWS / (DRAWS - dropped);
        long bits = 0;
        for (int i = from; i < to; i++) {
            bits = (i - from) % 4 == 0 ? random.nextLong() : bits >>> 16;
            factors[i] = (bits & DRAWS - 1) < dropped ? 0 : kept;
        }
    }

    void keepAll() {
        if (!keeping) {
            float[] ones = new float[Math.toIntExact(places.getFirst().length())];
            Arrays.fill(ones, 1);
            places.forEach(factors -> TrainingGraph.assign(factors, ones));
            keeping = true;
        }
    }
}
