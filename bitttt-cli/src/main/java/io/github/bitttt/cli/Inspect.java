package io.github.bitttt.cli;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.tensor.KernelChoice;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** What is in a model: sizes, tensors, where it comes from, and which kernels would run it. */
@Command(name = "inspect", mixinStandardHelpOptions = true, description = "Say what is in a model.")
final class Inspect implements Callable<Integer> {
    @Mixin
    private ModelOption model;
    @Mixin
    private Program program;

    @Override
    public Integer call() throws Exception {
        Checkpoint checkpoint = model.checkpoint();
        Map<String, Object> tensors = new LinkedHashMap<>();
        for (Param param : checkpoint.weights().params()) {
            tensors.put(param.path(), Map.of("shape", param.shape(), "form", form(checkpoint.weights().get(param))));
        }
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("model", model.name());
        result.put("parameters", checkpoint.weights().parameters());
        result.put("bytes", checkpoint.weights().bytes());
        result.put("fingerprint", checkpoint.fingerprint());
        result.put("kernels", KernelChoice.current().toString());
        result.put("metadata", checkpoint.metadata());
        result.put("tensors", tensors);
        if (!program.json()) {
            program.out().println(new BitLlama(checkpoint.config()));
            program.out().println(checkpoint.config());
            result.forEach((key, value) -> {
                if (value instanceof Map<?, ?> entries) {
                    program.out().println(key);
                    entries.forEach((name, entry) -> program.out().printf(Locale.ROOT, "  %-36s %s%n", name, entry));
                } else {
                    program.out().printf(Locale.ROOT, "%-12s %s%n", key, value);
                }
            });
        }
        program.result(result);
        return 0;
    }

    private static String form(Weight weight) {
        return switch (weight) {
            case Weight.Floats _ -> "float32";
            case Weight.Ternary _ -> "ternary";
            case Weight.Int8Rows _ -> "int8 rows";
        };
    }
}
