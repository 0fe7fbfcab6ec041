package io.github.bitttt.train;

import io.github.bitttt.nn.Param;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * The running mean of the masters over the steps: mean = d mean + (1 - d) master, where d is the smaller of the decay and
 * (1 + step) / (10 + step), so that the first weights are soon forgotten. For one thread.
 */
final class RunningMean {
    private final double decay;
    private final SequencedMap<Param, float[]> means = new LinkedHashMap<>();

    RunningMean(SequencedMap<Param, float[]> masters, double decay) {
        this.decay = decay;
        masters.forEach((param, values) -> means.put(param, values.clone()));
    }

    /** Takes in the masters after a step, counted from 1. */
    void add(SequencedMap<Param, float[]> masters, long step) {
        double keep = Math.min(decay, (1.0 + step) / (10.0 + step));
        means.sequencedEntrySet().parallelStream().forEach(entry -> {
            float[] mean = entry.getValue();
            float[] master = masters.get(entry.getKey());
            for (int i = 0; i < mean.length; i++) {
                mean[i] = (float) (mean[i] + (1 - keep) * ((double) master[i] - mean[i]));
            }
        });
    }

    SequencedMap<Param, float[]> means() {
        return means;
    }
}
