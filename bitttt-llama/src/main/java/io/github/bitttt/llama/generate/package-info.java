/**
 * Running a model: sessions with a memory that learns, samplers, generated text, and measures of a text.
 *
 * <p>Loads no ND4J class. May import: {@code llama}, {@code llama.text}, {@code llama.io}, {@code nn}, {@code nn.cpu}.
 */
package io.github.bitttt.llama.generate;
