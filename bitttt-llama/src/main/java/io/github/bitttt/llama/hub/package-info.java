/** Models of Hugging Face's hub: found in the cache that its tools share, and fetched into it. The only package that speaks to a network,
 * and only where {@link io.github.bitttt.llama.hub.Pull} is called. May import: {@code llama.text}. */
@NullMarked
package io.github.bitttt.llama.hub;

import org.jspecify.annotations.NullMarked;
