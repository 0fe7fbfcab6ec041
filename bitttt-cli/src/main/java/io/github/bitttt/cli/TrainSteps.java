package io.github.bitttt.cli;

import io.github.bitttt.train.DescentOptions;
import io.github.bitttt.train.WindowOptions;
import picocli.CommandLine.Option;

/** What a step of {@code train} reads, and how far it goes. */
final class TrainSteps {
    @Option(names = "--batch", description = "Windows of a step (default: " + WindowOptions.BATCH + ").")
    private int batch = WindowOptions.BATCH;
    @Option(names = "--window", description = "Tokens of a window (default: " + WindowOptions.WINDOW + ").")
    private int window = WindowOptions.WINDOW;
    @Option(names = "--micro-batch", description = "Windows that go through the graph at once, a divisor of the batch; gradients are summed (default: all of the batch).")
    private Integer microBatch;
    @Option(names = "--carry", paramLabel = "N", description = "Carry the memory over N windows that follow one another in the text (default: 1, each from an empty one).")
    private int carry = 1;
    @Option(names = "--repeats", description = "Share of windows with a repeated passage, 0 to 1 (default: "
            + WindowOptions.REPEATS + ").")
    private double repeats = WindowOptions.REPEATS;
    @Option(names = "--rate", description = "Peak learning rate, above 0 and at most 1 (default: "
            + DescentOptions.PEAK_RATE + ").")
    private double rate = DescentOptions.PEAK_RATE;
    @Option(names = "--weight-decay", description = "On matrices, 0 to 1 (default: " + DescentOptions.WEIGHT_DECAY
            + ").")
    private double weightDecay = DescentOptions.WEIGHT_DECAY;
    @Option(names = "--dropout", description = "Share of what the embedding and each layer give that a step leaves out at random, below 1; for several epochs of a small text (default: 0).")
    private double dropout;
    @Option(names = "--average", paramLabel = "DECAY", description = "Measure and save a running mean of the weights, of this decay a step, such as 0.999 (default: the weights themselves).")
    private double average;

    WindowOptions windows(long orderSeed) {
        WindowOptions whole = WindowOptions.DEFAULT.withBatch(batch, window).withCarry(carry).withRepeats(repeats)
                .withOrderSeed(orderSeed);
        return microBatch == null ? whole : whole.withMicroBatch(microBatch);
    }

    DescentOptions descent() {
        return DescentOptions.DEFAULT.withPeakRate(rate).withWeightDecay(weightDecay).withDropout(dropout)
                .withAverage(average);
    }
}
