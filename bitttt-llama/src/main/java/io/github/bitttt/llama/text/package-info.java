/** Text to tokens and back: Hugging Face tokenizers, and a byte-level BPE trainer. May import: nothing of ours. */
package io.github.bitttt.llama.text;
