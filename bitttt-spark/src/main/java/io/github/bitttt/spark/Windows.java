package io.github.bitttt.spark;

import io.github.bitttt.train.TokenBatch;

/** What a worker reads: a function of the plan and the step alone, so that a lost task is simply made again. */
interface Windows {
    /** A worker's part of a step's batch.
     *
     * @param plan of the run
     * @param step from 0
     * @return its tokens */
    TokenBatch batch(Plan plan, long step);

    /** The share of a step's targets that this worker has.
     *
     * @param plan of the run
     * @param step from 0
     * @return 1 / N where every target counts */
    default double share(Plan plan, long step) {
        return 1.0 / plan.workers();
    }

    /** Whose windows they are.
     *  @return the worker, from 0 */
    int worker();
}
