/** Ternary matrices to and from ND4J arrays, for those who have ND4J on their class path. May import: {@code tensor}. */
@NullMarked
package io.github.bitttt.tensor.nd4j;

import org.jspecify.annotations.NullMarked;
