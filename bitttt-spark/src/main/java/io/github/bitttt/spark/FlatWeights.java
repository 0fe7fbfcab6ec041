package io.github.bitttt.spark;

import io.github.bitttt.nn.Param;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/** All numbers of a model one after the other, in the order of its parameters: what travels between processes. */
final class FlatWeights {
    private FlatWeights() {
    }

    static SequencedMap<Param, float[]> zeros(List<Param> params) {
        SequencedMap<Param, float[]> arrays = new LinkedHashMap<>();
        params.forEach(param -> arrays.put(param, new float[param.length()]));
        return arrays;
    }

    /** How many numbers there are; they must fit a Java array. */
    static int size(Iterable<Param> params, int copies) {
        long size = 0;
        for (Param param : params) {
            size += (long) copies * param.length();
        }
        if (size > Integer.MAX_VALUE - 64) {
            throw new IllegalArgumentException("a round exchanges fewer than 2^31 - 64 numbers at once, got " + size
                    + "; take a smaller model, or inner state RESTART if it was AVERAGE");
        }
        return (int) size;
    }

    static void write(SequencedMap<Param, float[]> arrays, float[] into, int offset) {
        int at = offset;
        for (float[] values : arrays.sequencedValues()) {
            System.arraycopy(values, 0, into, at, values.length);
            at += values.length;
        }
    }

    static void read(float[] from, int offset, SequencedMap<Param, float[]> arrays) {
        int at = offset;
        for (float[] values : arrays.sequencedValues()) {
            System.arraycopy(from, at, values, 0, values.length);
            at += values.length;
        }
    }
}
