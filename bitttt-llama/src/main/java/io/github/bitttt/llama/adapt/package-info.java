/**
 * A memory at the output of a frozen model: it learns from every token, with no change to the model.
 *
 * <p>{@link io.github.bitttt.llama.adapt.OutputAdapter} joins the parts: a matrix behind the last norm that follows the gradient of the cross
 * entropy ({@link io.github.bitttt.llama.adapt.ErrorMatrix}), a ring of past hidden rows
 * ({@link io.github.bitttt.llama.adapt.KeyRing}), a hashed table of what followed the last tokens
 * ({@link io.github.bitttt.llama.adapt.SuccessorTable}), and gates that learn how far to trust each
 * ({@link io.github.bitttt.llama.adapt.Gate}). All of it has a constant size. May import: {@code tensor}.
 */
package io.github.bitttt.llama.adapt;
