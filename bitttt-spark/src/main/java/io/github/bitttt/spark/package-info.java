/**
 * bitttt on Apache Spark: text to windows, data-parallel training in rounds, and batch generation and perplexity.
 *
 * <p>It may import {@code llama}, {@code llama.text}, {@code llama.io}, {@code llama.generate}, {@code llama.train},
 * {@code nn} and Spark; nothing of ours imports it.
 */
@NullMarked
package io.github.bitttt.spark;

import org.jspecify.annotations.NullMarked;
