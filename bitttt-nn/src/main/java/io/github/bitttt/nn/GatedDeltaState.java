package io.github.bitttt.nn;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What one {@link GatedDelta} layer has learned from a text so far. Its size does not depend on the text's length.
 *
 * <p>Shapes: weights [H, dv, dk], tail [k - 1, C] for one stream; a batch puts B in front.
 *
 * @param <T>     the reading's value
 * @param weights W, the matrices that gradient descent trains
 * @param tail    the last rows of what the convolution reads, the oldest first
 */
public record GatedDeltaState<T>(T weights, T tail) implements MixerState<T> {
    @Override
    public List<T> parts() {
        return List.of(weights, tail);
    }

    @Override
    public Optional<T> learned() {
        return Optional.of(weights);
    }

    @Override
    public <U> GatedDeltaState<U> map(Function<T, U> form) {
        return new GatedDeltaState<>(form.apply(weights), form.apply(tail));
    }
}
