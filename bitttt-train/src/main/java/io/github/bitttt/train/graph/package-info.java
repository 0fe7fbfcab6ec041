/**
 * The graph reading: a model recorded as a SameDiff graph over batches, differentiated through its memory updates.
 *
 * <p>{@link io.github.bitttt.train.graph.GraphOps} records, {@link io.github.bitttt.train.graph.ReverseMode} differentiates by
 * the operations' own rules and the hand-written ones of {@link io.github.bitttt.train.graph.GradientRules}, and
 * {@link io.github.bitttt.train.graph.StaticExecutor} runs the result on planned buffers. May import: {@code nn}, {@code tensor}.
 */
@NullMarked
package io.github.bitttt.train.graph;

import org.jspecify.annotations.NullMarked;
