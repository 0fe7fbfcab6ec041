/**
 * Training: token windows, the compiled graph, AdamW on float masters, and runs that survive a kill.
 *
 * <h2>The walk of a batch</h2>
 * <ol>
 * <li>Once: {@link io.github.bitttt.train.TrainingGraph} calls {@link io.github.bitttt.llama.BitLlama#forward} with the
 * graph reading of {@code train.graph} and placeholders, so that the same definition which a session runs becomes a SameDiff
 * graph, derives it in reverse, and binds its operations to planned buffers.</li>
 * <li>{@link io.github.bitttt.train.WindowOrder} says which B windows of T tokens, with the tokens that follow, a step reads.</li>
 * <li>The masters are rounded to ternary values and put into the graph.</li>
 * <li>Forward: all B T rows at once; each memory is computed in chunks of C tokens, exactly. The loss is the mean cross
 * entropy in nats per token.</li>
 * <li>Backward, through the memories' own learning; rounding passes gradients straight through.</li>
 * <li>{@link io.github.bitttt.train.AdamW} clips the gradients and moves the float32 masters.</li>
 * <li>{@link io.github.bitttt.train.TrainingListener} hears the {@link io.github.bitttt.train.StepResult}; every n
 * steps {@link io.github.bitttt.train.TrainingRun} writes a checkpoint, from which a killed run goes on bit for bit.</li>
 * </ol>
 *
 * <p>May import: {@code llama}, {@code llama.text}, {@code llama.io}, {@code nn}, {@code train.graph}, {@code tensor}.
 */
@NullMarked
package io.github.bitttt.train;

import org.jspecify.annotations.NullMarked;
