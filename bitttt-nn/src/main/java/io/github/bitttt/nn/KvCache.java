package io.github.bitttt.nn;

import java.util.List;
import java.util.function.Function;

/**
 * What attention keeps of a text so far: a key and a value for every token. It grows with the text.
 *
 * <p>Shapes: keys and values [t, n] after t tokens, where n is the width of all key heads together.
 *
 * @param <T>    the reading's value
 * @param keys   turned by their positions
 * @param values as they were projected
 */
public record KvCache<T>(T keys, T values) implements MixerState<T> {
    @Override
    public List<T> parts() {
        return List.of(keys, values);
    }

    @Override
    public <U> KvCache<U> map(Function<T, U> form) {
        return new KvCache<>(form.apply(keys), form.apply(values));
    }
}
