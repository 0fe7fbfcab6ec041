package io.github.bitttt.nn;

/**
 * Token ids as a reading takes them: whole numbers, which are no value of the model. Each reading makes its own.
 *
 * @param <T> the reading's value
 */
public interface TokenIds<T> {
}
