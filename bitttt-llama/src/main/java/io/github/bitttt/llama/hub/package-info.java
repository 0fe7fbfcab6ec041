/** Models of Hugging Face's hub: found in the cache that its tools share, and fetched into it.
 * May import: {@code llama.text}. */
@NullMarked
package io.github.bitttt.llama.hub;

import org.jspecify.annotations.NullMarked;
