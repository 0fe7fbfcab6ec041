package io.github.bitttt.cli;

import io.github.bitttt.llama.chat.ChatFormat;
import io.github.bitttt.llama.generate.Model;
import picocli.CommandLine.Option;

/** The option {@code --chat-format}: how messages become a prompt, where the model's own files do not say it. */
final class ChatOption {
    @Option(names = "--chat-format", paramLabel = "NAME", description = "How messages become a prompt: llama3, chatml, qwen3, qwen3-no-thinking, bitnet, falcon3 or stories (default: what the model's chat template means).")
    private String name;

    /** The model with that format, if one was named. */
    Model of(Model model) {
        return name == null ? model : model.withChatTemplate(ChatFormat.of(name));
    }

    /** Refuses a wrong name before a model is loaded. */
    void check() {
        if (name != null) {
            ChatFormat.of(name);
        }
    }
}
