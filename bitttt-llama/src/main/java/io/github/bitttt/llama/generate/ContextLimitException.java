package io.github.bitttt.llama.generate;

/** A text is longer than the context for which a model's positions were made. */
public final class ContextLimitException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    ContextLimitException(String message) {
        super(message);
    }
}
