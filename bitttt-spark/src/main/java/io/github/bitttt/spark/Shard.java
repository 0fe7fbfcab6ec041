package io.github.bitttt.spark;

import io.github.bitttt.train.TokenBatch;
import java.io.Serializable;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;

/**
 * The windows of one worker, in the order of its first pass over them; every further pass has an order of its own.
 *
 * <p>Worker w holds, of the windows in shuffled order, the w-th B / N of each B. So a step of all workers together sees the
 * B windows that one process would see.
 */
final class Shard implements Windows, Serializable {
    private static final long serialVersionUID = 1;

    private final int worker;
    private final int window;
    private final int[] ids; // [windows, T + 1]
    private transient int[] order;
    private transient long epoch;

    Shard(int worker, int window, int[] ids) {
        this.worker = worker;
        this.window = window;
        this.ids = ids;
    }

    private int windows() {
        return ids.length / (window + 1);
    }

    /** Windows as the step's number, the seed and this worker alone decide. */
    @Override
    public synchronized TokenBatch batch(Plan plan, long step) {
        int batch = plan.batch();
        int[] inputs = new int[batch * window];
        int[] targets = new int[batch * window];
        for (int b = 0; b < batch; b++) {
            long index = step * batch + b;
            enter(index / windows(), plan.windows().orderSeed());
            int start = order[(int) (index % windows())] * (window + 1);
            IntUnaryOperator source = plan.passages().of(plan.first(worker, step) + b);
            for (int i = 0; i < window; i++) {
                inputs[b * window + i] = ids[start + source.applyAsInt(i)];
                targets[b * window + i] = ids[start + source.applyAsInt(i + 1)];
            }
        }
        float[] weights = new float[targets.length];
        Arrays.fill(weights, 1);
        return new TokenBatch(inputs, targets, weights);
    }

    @Override
    public int worker() {
        return worker;
    }

    private void enter(long wanted, long seed) {
        if (order != null && epoch == wanted) {
            return;
        }
        epoch = wanted;
        SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + (epoch << 20) + worker);
        order = new int[windows()];
        for (int i = 0; i < order.length; i++) {
            int j = epoch == 0 ? i : random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
    }
}
