/** Example programs of one screen each, over the public API. Nothing imports this package. May import: anything public. */
@NullMarked
package io.github.bitttt.examples;

import org.jspecify.annotations.NullMarked;
