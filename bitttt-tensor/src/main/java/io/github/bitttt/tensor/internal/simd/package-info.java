/** Kernels on the Vector API: the only importers of {@code jdk.incubator.vector}. May import: {@code tensor.internal}. */
package io.github.bitttt.tensor.internal.simd;
