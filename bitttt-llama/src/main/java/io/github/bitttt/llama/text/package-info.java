/** Text to tokens and back: Hugging Face tokenizers, and a byte-level BPE trainer. May import: nothing of ours. */
@NullMarked
package io.github.bitttt.llama.text;

import org.jspecify.annotations.NullMarked;
