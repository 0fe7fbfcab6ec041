package io.github.bitttt.nn;

import java.util.Optional;

/**
 * Rotary positions: numbers i and i + d / 2 of each head of a query or key are turned, as a point of the plane, by an angle that
 * grows with the token's position: f_i = base^(-2 i / d), angle = position f_i.
 *
 * <p>Source: Su et al., arXiv:2104.09864.
 *
 * @param base    theta
 * @param scaling what makes far positions turn less, if a model was trained on for longer contexts
 */
public record Rotary(double base, Optional<Scaling> scaling) {
    /** What most models began with: base 10,000, no scaling. */
    public static final Rotary STANDARD = new Rotary(10_000, Optional.empty());

    /** A rule that changes frequencies. */
    public sealed interface Scaling permits Llama3 {
        /** The frequency that is used in place of another.
         *
         * @param frequency f
         * @return radians a position */
        double scaled(double frequency);
    }

    /**
     * The rule of Llama 3.1: with wavelength l = 2 pi / f, f stays where l is below old / high, becomes f / factor where l is above
     * old / low, and in between is a mixture: m = (old / l - low) / (high - low), f (m + (1 - m) / factor).
     *
     * @param factor  by which slow frequencies are divided
     * @param low     {@code low_freq_factor}
     * @param high    {@code high_freq_factor}, above low
     * @param context old, {@code original_max_position_embeddings}
     */
    public record Llama3(double factor, double low, double high, double context) implements Scaling {
        /** Checks that the numbers make a rule. */
        public Llama3 {
            if (!(factor >= 1 && low > 0 && high > low && context >= 1) || !Double.isFinite(factor * high * context)) {
                throw new IllegalArgumentException("rope scaling takes a factor of at least 1, 0 < low < high and a"
                        + " context of at least 1, got " + factor + ", " + low + ", " + high + " and " + context);
            }
        }

        @Override
        public double scaled(double frequency) {
            double turns = context * frequency / (2 * Math.PI);
            if (turns > high) {
                return frequency;
            }
            if (turns < low) {
                return frequency / factor;
            }
            double kept = (turns - low) / (high - low);
            return frequency * (kept + (1 - kept) / factor);
        }
    }

    /** Checks the base. */
    public Rotary {
        if (!(base > 1 && Double.isFinite(base))) {
            throw new IllegalArgumentException("the base of rotary positions must be above 1, got " + base);
        }
    }

    /** By how much a pair of numbers of a query or key is turned from one position to the next.
     *
     * @param pair  from 0 to d / 2 - 1
     * @param width d
     * @return radians */
    public double frequency(int pair, int width) {
        double frequency = Math.pow(base, -2.0 * pair / width);
        return scaling.isPresent() ? scaling.get().scaled(frequency) : frequency;
    }
}
