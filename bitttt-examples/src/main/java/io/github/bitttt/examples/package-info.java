/** The programs behind {@code ./bitttt PROGRAM}: each a short main over the public API. May import: anything public. */
package io.github.bitttt.examples;
