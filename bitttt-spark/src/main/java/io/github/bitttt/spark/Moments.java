package io.github.bitttt.spark;

import io.github.bitttt.nn.Param;
import io.github.bitttt.train.AdamW;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.SequencedSet;
import java.util.function.Function;

/** AdamW's moments one after the other: all first ones, then all second ones. */
final class Moments {
    private Moments() {
    }

    static void write(AdamW optimizer, SequencedSet<Param> params, float[] into, int offset) {
        SequencedMap<Param, float[]> first = arrays(params, param -> optimizer.moments(param).first());
        FlatWeights.write(first, into, offset);
        FlatWeights.write(arrays(params, param -> optimizer.moments(param).second()), into,
                offset + FlatWeights.size(params, 1));
    }

    static void read(float[] from, int offset, AdamW optimizer, SequencedSet<Param> params) {
        FlatWeights.read(from, offset, arrays(params, param -> optimizer.moments(param).first()));
        FlatWeights.read(from, offset + FlatWeights.size(params, 1),
                arrays(params, param -> optimizer.moments(param).second()));
    }

    private static SequencedMap<Param, float[]> arrays(SequencedSet<Param> params, Function<Param, float[]> array) {
        SequencedMap<Param, float[]> arrays = new LinkedHashMap<>();
        params.forEach(param -> arrays.put(param, array.apply(param)));
        return arrays;
    }
}
