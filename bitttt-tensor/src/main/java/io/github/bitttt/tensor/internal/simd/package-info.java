/** Kernels on the Vector API: the only importers of {@code jdk.incubator.vector}. May import: {@code tensor.internal}. */
@NullMarked
package io.github.bitttt.tensor.internal.simd;

import org.jspecify.annotations.NullMarked;
