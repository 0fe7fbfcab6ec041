/** Example programs of one screen each, over the public API. Nothing imports this package. May import: anything public. */
package io.github.bitttt.examples;
