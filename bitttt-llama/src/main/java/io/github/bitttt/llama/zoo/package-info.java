/** The named pretrained models. May import: {@code llama}, {@code llama.hub}, {@code llama.io}, {@code llama.text}. */
@NullMarked
package io.github.bitttt.llama.zoo;

import org.jspecify.annotations.NullMarked;
