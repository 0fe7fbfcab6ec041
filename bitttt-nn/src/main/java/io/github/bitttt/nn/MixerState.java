package io.github.bitttt.nn;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What a mixer knows of the text so far: a value that {@link Mixer#forward} maps to its successor. Each mixer has a type of
 * its own; {@link Mixer#stateParts} names its parts, from which everything else follows: the empty state, copies, files,
 * inputs of the training graph and sizes.
 *
 * <p>It is spent by the instruction it is given to: a reading may work in place, so only the state that comes back may be
 * used afterwards.
 *
 * @param <T> the reading's value
 */
public sealed interface MixerState<T> permits TttState, GatedDeltaState, KvCache {
    /** Its values.
     *  @return in the order of {@link Mixer#stateParts} */
    List<T> parts();

    /** The matrices that gradient descent has trained while reading.
     *  @return W [H, v, k], or nothing where only keys and values are kept */
    default Optional<T> learned() {
        return Optional.empty();
    }

    /** The same state in another form.
     *
     * @param <U>  the other form's value
     * @param form what to make of each part, in the order of {@link #parts}
     * @return a state of the same type */
    <U> MixerState<U> map(Function<T, U> form);
}
