package io.github.bitttt.nn;

import java.util.Optional;

/**
 * Rotary positions: numbers i and i + d / 2 of each head of a query or key are turned, as a point of the plane, by an angle that
 * grows with the token's position: f_i = base^(-2 i / d), angle = position f_i. Where only the first m numbers of a head are turned,
 * m takes the place of d.
 *
 * <p>Source: Su et al., arXiv:2104.09864.
 *
 * @param base    theta
 * @param scaling what makes far positions turn less, if a model was trained on for longer contexts
 * @param share   of the numbers of a head that are turned: m / d, in (0, 1]
 */
public record Rotary(double base, Optional<Scaling> scaling, double share) {
    /** What most models began with: base 10,000, no scaling. */
    public static final Rotary STANDARD = new Rotary(10_000, Optional.empty());

    /** A rule that changes frequencies. */
    public sealed interface Scaling permits Llama3, Yarn {
        /** The frequency that is used in place of another.
         *
         * @param frequency f_i
         * @param pair      i, from 0 to d / 2 - 1
         * @param width     d
         * @param base      theta
         * @return radians a position */
        double scaled(double frequency, int pair, int width, double base);

        /** What turned queries and keys are multiplied by.
         *  @return 1 for most rules */
        default double magnitude() {
            return 1;
        }
    }

    /**
     * YaRN: with a(r) = d ln(n / (2 pi r)) / (2 ln theta), low = max(floor a(32), 0) and high = min(ceil a(1), d - 1), a ramp from 0 at pair
     * low to 1 at pair high mixes f with f / factor. Queries and keys are multiplied by 0.1 ln factor + 1, at every position, in short texts too.
     * Source: Peng et al., arXiv:2309.00071, as transformers has it.
     *
     * @param factor  by which slow frequencies are divided, at least 1
     * @param context n, {@code original_max_position_embeddings}
     */
    public record Yarn(double factor, double context) implements Scaling {
        private static final double FAST = 32;

        /** Checks that the numbers make a rule. */
        public Yarn {
            if (!(factor >= 1 && context >= 1) || !Double.isFinite(factor * context)) {
                throw new IllegalArgumentException(
                        "rope scaling by yarn takes a factor and a context of at least 1, got "
                                + factor + " and " + context);
            }
        }

        @Override
        public double scaled(double frequency, int pair, int width, double base) {
            double low = Math.max(Math.floor(at(FAST, width, base)), 0);
            double high = Math.min(Math.ceil(at(1, width, base)), width - 1);
            double ramp = Math.clamp((pair - low) / (high == low ? 0.001 : high - low), 0.0, 1.0);
            return frequency * (1 - ramp) + frequency / factor * ramp;
        }

        private double at(double turns, int width, double base) {
            return width * Math.log(context / (2 * Math.PI * turns)) / (2 * Math.log(base));
        }

        @Override
        public double magnitude() {
            return 0.1 * Math.log(factor) + 1;
        }
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
        public double scaled(double frequency, int pair, int width, double base) {
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

    /** Checks the numbers. */
    public Rotary {
        if (!(base > 1 && Double.isFinite(base))) {
            throw new IllegalArgumentException("the base of rotary positions must be above 1, got " + base);
        }
        if (!(share > 0 && share <= 1)) {
            throw new IllegalArgumentException(
                    "the share of a head that is turned must be above 0 and at most 1, got " + share);
        }
    }

    /** Positions that turn whole heads.
     *
     * @param base    theta
     * @param scaling what makes far positions turn less */
    public Rotary(double base, Optional<Scaling> scaling) {
        this(base, scaling, 1);
    }

    /** m, how many numbers of a head are turned: number i with number i + m / 2.
     *
     * @param width d
     * @return an even number, at least 2 */
    public int turned(int width) {
        return Math.max(1, (int) (share * width / 2)) * 2;
    }

    /** By how much a pair of numbers of a query or key is turned from one position to the next.
     *
     * @param pair  from 0 to m / 2 - 1
     * @param width d
     * @return radians */
    public double frequency(int pair, int width) {
        int turned = turned(width);
        double frequency = Math.pow(base, -2.0 * pair / turned);
        return scaling.isPresent() ? scaling.get().scaled(frequency, pair, turned, base) : frequency;
    }

    /** What turned queries and keys are multiplied by.
     *  @return 1, unless the scaling says otherwise */
    public double magnitude() {
        return scaling.map(Scaling::magnitude).orElse(1.0);
    }
}
