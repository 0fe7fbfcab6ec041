/**
 * The CPU reading: float rows, ternary products by additions, memories updated in place. Loads no ND4J class. May import:
 * {@code nn}, {@code tensor}.
 */
@NullMarked
package io.github.bitttt.nn.cpu;

import org.jspecify.annotations.NullMarked;
