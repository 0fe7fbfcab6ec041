/**
 * Ternary matrices, int8 rows and the loops that multiply them by additions.
 *
 * <p>{@link io.github.bitttt.tensor.TernaryMatrix} checks at the edge; {@code tensor.internal} computes. May import:
 * {@code tensor.internal}.
 */
@NullMarked
package io.github.bitttt.tensor;

import org.jspecify.annotations.NullMarked;
