package io.github.bitttt.train;

/** Numbers that options may have. */
final class Ranges {
    private Ranges() {
    }

    static void count(String name, long value, long least, long most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException(name + " must be "
                    + (most == Long.MAX_VALUE ? "at least " + least : least + " to " + most) + ", got " + value);
        }
    }

    /** A number from one end to the other, both allowed. */
    static void share(String name, double value, double least, double most) {
        if (!(value >= least && value <= most)) {
            throw new IllegalArgumentException(name + " must be in [" + least + ", " + most + "], got " + value);
        }
    }

    /** A number of which the upper end is not allowed. */
    static void below(String name, double value, double least, double end) {
        if (!(value >= least && value < end)) {
            throw new IllegalArgumentException(name + " must be in [" + least + ", " + end + "), got " + value);
        }
    }

    /** A number of which the lower end is not allowed. */
    static void above(String name, double value, double end, double most) {
        if (!(value > end && value <= most)) {
            throw new IllegalArgumentException(name + " must be in (" + end + ", " + most + "], got " + value);
        }
    }
}
