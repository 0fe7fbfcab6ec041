package io.github.bitttt.train;

import io.github.bitttt.nn.Param;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.BiConsumer;

/**
 * AdamW on float32 masters, clipped by global norm before the step; weight decay on matrices only.
 *
 * <p>m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w = w - rate (m' / (sqrt(v') + eps) + decay w), where m' and v' are
 * corrected for their start at zero. b1 0.9, b2 0.95, eps 1e-8. Computed in double, kept in float32; the result does not
 * depend on the number of threads. Source: Loshchilov and Hutter, arXiv:1711.05101. For one thread.
 */
public final class AdamW implements Optimizer {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.95;
    private static final double EPSILON = 1e-8;

    private final double weightDecay;
    private final double clip;
    private final SequencedMap<Param, Moments> moments = new LinkedHashMap<>();
    private long steps;

    /**
     * The running means of one parameter: the optimizer's own arrays.
     *
     * @param first  m
     * @param second v
     */
    public record Moments(float[] first, float[] second) {}

    /** An optimizer that has not made a step.
     *
     * @param params      what it will change
     * @param weightDecay on matrices
     * @param clip        largest global gradient norm */
    public AdamW(List<Param> params, double weightDecay, double clip) {
        this.weightDecay = weightDecay;
        this.clip = clip;
        params.forEach(param -> moments.put(param, new Moments(new float[param.length()], new float[param.length()])));
    }

    /** The global norm of gradients.
     *
     * @param gradients of all parameters
     * @return the square root of the sum of squares, in double */
    public static double norm(SequencedMap<Param, float[]> gradients) {
        double[] squares = gradients.sequencedValues().parallelStream().mapToDouble(AdamW::squares).toArray();
        double sum = 0;
        // In order: the sum must not depend on which thread was first.
        for (double square : squares) {
            sum += square;
        }
        return Math.sqrt(sum);
    }

    private static double squares(float[] gradient) {
        double sum = 0;
        for (float value : gradient) {
            sum += (double) value * value;
        }
        return sum;
    }

    @Override
    public void step(SequencedMap<Param, float[]> masters, SequencedMap<Param, float[]> gradients, double norm,
            double rate) {
        steps++;
        double scale = norm > clip ? clip / norm : 1;
        moments.sequencedEntrySet().parallelStream().forEach(entry -> update(entry.getKey(), entry.getValue(),
                masters.get(entry.getKey()), gradients.get(entry.getKey()), scale, rate));
    }

    private void update(Param param, Moments moments, float[] weights, float[] gradient, double scale, double rate) {
        double correction1 = 1 - Math.pow(BETA1, steps);
        double correction2 = 1 - Math.pow(BETA2, steps);
        double keep = 1 - (param.isMatrix() ? rate * weightDecay : 0);
        float[] first = moments.first();
        float[] second = moments.second();
        for (int i = 0; i < weights.length; i++) {
            double g = gradient[i] * scale;
            double m = BETA1 * first[i] + (1 - BETA1) * g;
            double v = BETA2 * second[i] + (1 - BETA2) * g * g;
            first[i] = (float) m;
            second[i] = (float) v;
            weights[i] = (float) (weights[i] * keep
                    - rate * (m / correction1) / (Math.sqrt(v / correction2) + EPSILON));
        }
    }

    /** Steps made so far.
     *  @return from 0 */
    public long steps() {
        return steps;
    }

    /** The state of one parameter, to be saved or restored.
     *
     * @param param one of its parameters
     * @return not a copy */
    public Moments moments(Param param) {
        return moments.get(param);
    }

    @Override
    public void state(BiConsumer<String, float[]> parts) {
        moments.forEach((param, both) -> {
            parts.accept("first." + param.path(), both.first());
            parts.accept("second." + param.path(), both.second());
        });
    }

    @Override
    public void resumeAt(long step) {
        steps = step;
    }
}
