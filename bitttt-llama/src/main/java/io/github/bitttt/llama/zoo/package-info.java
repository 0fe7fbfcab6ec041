/** The named pretrained models. May import: {@code llama}, {@code llama.io}, {@code llama.text}. */
package io.github.bitttt.llama.zoo;
