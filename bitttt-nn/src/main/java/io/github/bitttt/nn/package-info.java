/**
 * The layers of Bit-TTT, written once over the instruction set {@link io.github.bitttt.nn.Ops}.
 *
 * <p>A layer is a record of {@link io.github.bitttt.nn.Param}s and sizes; its {@code forward(Ops<T>, T)} is its mathematics.
 * With doubles ({@code nn.naive}) that defines the truth, with float rows ({@code nn.cpu}) it runs on a CPU, with
 * SameDiff variables ({@code nn.graph}) it records the training graph. The readings never see each other.
 *
 * <p>Letters: B batch, T tokens, D model width, F feed-forward width, M memory width, H heads, d = M/H, V vocabulary,
 * C chunk, n rows. May import: {@code tensor}.
 */
@NullMarked
package io.github.bitttt.nn;

import org.jspecify.annotations.NullMarked;
