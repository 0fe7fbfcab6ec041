package io.github.bitttt.nn;

/**
 * What a mixer gives back.
 *
 * @param <T>    the reading's value
 * @param output y
 * @param state  the successor of the state that was given
 */
public record Mixed<T>(T output, MixerState<T> state) {}
