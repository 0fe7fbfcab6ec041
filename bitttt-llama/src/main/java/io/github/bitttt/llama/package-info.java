/**
 * Bit-Llama: the model's sizes and its architecture. Text, files, training, sessions and the zoo are packages below.
 *
 * <p>May import: {@code nn}.
 */
@NullMarked
package io.github.bitttt.llama;

import org.jspecify.annotations.NullMarked;
