/**
 * Training: token windows, the compiled graph, AdamW on float masters, and runs that survive a kill.
 *
 * <p>A batch walks {@link io.github.bitttt.llama.train.TokenWindows} -> {@link io.github.bitttt.llama.train.TrainingGraph}
 * -> {@link io.github.bitttt.llama.train.AdamW} -> {@link io.github.bitttt.llama.train.TrainingListener}. May import:
 * {@code llama}, {@code llama.text}, {@code llama.io}, {@code nn}, {@code nn.graph}, {@code tensor}.
 */
package io.github.bitttt.llama.train;
