package io.github.bitttt.spark;

import io.github.bitttt.nn.Param;
import io.github.bitttt.train.Optimizer;
import java.util.SequencedMap;
import java.util.function.BiConsumer;

/** Nesterov's step of the agreed weights against the workers' mean change (arXiv:2311.08105). For one thread. */
final class OuterStep implements Optimizer {
    private final double outerRate;
    private final double keep;
    private final float[] momentum;

    /** @param size of all parameters together */
    OuterStep(int size, SparkTrainingOptions options) {
        momentum = new float[size];
        outerRate = options.outerRate();
        keep = options.outerMomentum();
    }

    /** The learning rate was the workers'. */
    @Override
    public void step(SequencedMap<Param, float[]> masters, SequencedMap<Param, float[]> change, double norm,
            double rate) {
        int at = 0;
        for (var entry : masters.sequencedEntrySet()) {
            float[] weights = entry.getValue();
            float[] mean = change.get(entry.getKey());
            for (int i = 0; i < weights.length; i++, at++) {
                double velocity = keep * momentum[at] + mean[i];
                momentum[at] = (float) velocity;
                weights[i] = (float) (weights[i] - outerRate * (mean[i] + keep * velocity));
            }
        }
    }

    @Override
    public void state(BiConsumer<String, float[]> parts) {
        parts.accept("outer.momentum", momentum);
    }

    @Override
    public void resumeAt(long step) {
        // The momentum is all there is.
    }
}
