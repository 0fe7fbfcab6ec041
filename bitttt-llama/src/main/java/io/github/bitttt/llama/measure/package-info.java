/** What a model is worth on a text: losses, how much its memory saves, how well it recalls. Imports running, never the other way round. */
@NullMarked
package io.github.bitttt.llama.measure;

import org.jspecify.annotations.NullMarked;
