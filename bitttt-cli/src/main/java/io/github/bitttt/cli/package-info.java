/** The programs behind {@code ./bitttt}: each reads its options, calls the library and prints. Nothing imports this package. */
package io.github.bitttt.cli;
