/**
 * Conversations as models were taught to read them: {@link io.github.bitttt.llama.chat.ChatTemplate} makes parts of messages,
 * {@link io.github.bitttt.llama.chat.ChatFormat} has the forms of the known families, {@link io.github.bitttt.llama.chat.ChatSettings} finds
 * a model's. May import: {@code llama.text}.
 */
@NullMarked
package io.github.bitttt.llama.chat;

import org.jspecify.annotations.NullMarked;
