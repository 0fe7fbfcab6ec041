package io.github.bitttt.nn;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What one TTT layer has learned from a text so far. Its size does not depend on the text's length.
 *
 * <p>Shapes: weights [H, d, d], previous [D], feature [H, d] for one stream; a batch puts B in front.
 *
 * @param <T>      the reading's value
 * @param weights  W, the small matrix that gradient descent trains
 * @param previous p, the last input, for the token shift
 * @param feature  g, the last feature f, the key of "predict_next"
 */
public record TttState<T>(T weights, T previous, T feature) implements MixerState<T> {
    @Override
    public List<T> parts() {
        return List.of(weights, previous, feature);
    }

    @Override
    public Optional<T> learned() {
        return Optional.of(weights);
    }

    @Override
    public <U> TttState<U> map(Function<T, U> form) {
        return new TttState<>(form.apply(weights), form.apply(previous), form.apply(feature));
    }
}
