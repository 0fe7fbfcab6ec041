/** The programs behind {@code ./bitttt}: each reads its options, calls the library and prints. Nothing imports this package. */
@NullMarked
package io.github.bitttt.cli;

import org.jspecify.annotations.NullMarked;
