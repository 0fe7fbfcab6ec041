/**
 * The Java side of the C-ABI library: what {@code libbitttt} calls. May import llama.generate, llama.zoo, llama.io, llama.text, nn
 * and tensor; nothing in Java imports it.
 */
@NullMarked
package io.github.bitttt.capi;

import org.jspecify.annotations.NullMarked;
