package io.github.bitttt.nn;

/**
 * What one TTT layer has learned from a text so far: a value that {@link TttLayer} maps to its successor.
 *
 * <p>It is spent by the instruction it is given to: a reading may work in place, so only the memory that comes back may be
 * used afterwards.
 *
 * <p>Shapes: weights [H, d, d], previous [D], feature [H, d] for one stream; a batch puts B in front.
 *
 * @param <T>      the reading's value
 * @param weights  W, the small matrix that gradient descent trains
 * @param previous p, the last input, for the token shift
 * @param feature  g, the last feature f, the key of "predict_next"
 */
public record Memory<T>(T weights, T previous, T feature) {}
