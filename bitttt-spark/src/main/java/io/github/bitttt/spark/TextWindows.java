package io.github.bitttt.spark;

import io.github.bitttt.train.TokenBatch;
import io.github.bitttt.train.TrainingText;
import io.github.bitttt.train.WindowOrder;
import java.io.Serializable;
import org.apache.spark.broadcast.Broadcast;

/**
 * A worker's part of the windows of a whole text, which each executor holds once: of each step's batch the w-th B / N. So all workers
 * together read what one process reads.
 */
final class TextWindows implements Windows, Serializable {
    private static final long serialVersionUID = 1;

    private final int worker;
    private final Broadcast<? extends TrainingText> text;
    private transient WindowOrder order;

    TextWindows(int worker, Broadcast<? extends TrainingText> text) {
        this.worker = worker;
        this.text = text;
    }

    @Override
    public synchronized TokenBatch batch(Plan plan, long step) {
        return order(plan).batch(text.value(), step, worker * plan.batch(), plan.batch());
    }

    @Override
    public synchronized double share(Plan plan, long step) {
        double all = order(plan).batch(text.value(), step, 0, plan.windows().batch()).counted();
        return all == 0 ? 0 : batch(plan, step).counted() / all;
    }

    private WindowOrder order(Plan plan) {
        if (order == null) {
            order = new WindowOrder(text.value().length(), plan.windows());
        }
        return order;
    }

    @Override
    public int worker() {
        return worker;
    }
}
