/**
 * The kernels: what they mean ({@link io.github.bitttt.tensor.internal.NaiveKernels}), their fast forms, and the choice
 * between them. Not for users. May import: {@code tensor.internal.simd}, by name and only where the vector module is there.
 */
@NullMarked
package io.github.bitttt.tensor.internal;

import org.jspecify.annotations.NullMarked;
