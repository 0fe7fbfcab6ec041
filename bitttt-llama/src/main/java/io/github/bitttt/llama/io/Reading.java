package io.github.bitttt.llama.io;

import java.util.Locale;

/**
 * Something that a {@link ModelFormat} reads, and what stands behind the promise.
 *
 * @param kind   what sort of thing
 * @param name   as files have it
 * @param about  models or forms that are meant; may be empty
 * @param tested what was tried; empty if nothing was
 */
public record Reading(Kind kind, String name, String about, String tested) {
    /** Sorts of things that are read. */
    public enum Kind {
        /** A family of models: {@code model_type} or {@code general.architecture}. */
        FAMILY,
        /** How weights are packed, or a type of tensors. */
        WEIGHTS,
        /** How a tokenizer cuts a text. */
        TOKENIZER;

        /** Its name.
         *  @return in lower case */
        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}
