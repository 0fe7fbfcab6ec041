package io.github.bitttt.tests;

import io.github.bitttt.tensor.internal.Kernels;
import io.github.bitttt.tensor.internal.NaiveKernels;
import io.github.bitttt.tensor.internal.PlainKernels;
import io.github.bitttt.tensor.internal.simd.WarmingKernels;

/** The kernels of a benchmark by name. */
final class Families {
    private Families() {
    }

    static Kernels of(String name) {
        return switch (name) {
            case "naive" -> NaiveKernels.INSTANCE;
            case "plain" -> PlainKernels.INSTANCE;
            case "vector" -> new WarmingKernels("");
            default -> new WarmingKernels(name);
        };
    }
}
