/** What a model is worth on a text: losses, how much its memory saves, how well it recalls. Imports running, never the other way round. */
package io.github.bitttt.llama.measure;
