/**
 * The naive reading: double loops, token by token, that define what every instruction means. Never tuned.
 *
 * <p>May import: {@code nn}, {@code tensor}.
 */
@NullMarked
package io.github.bitttt.nn.naive;

import org.jspecify.annotations.NullMarked;
