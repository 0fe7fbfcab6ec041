package io.github.bitttt.train;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.io.Tensor;
import io.github.bitttt.nn.Param;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** The way for tests of other packages to a run's saved state, which the library keeps to itself. */
public final class TrainingStates {
    /** The state's file below a run's folder. */
    public static final String FILE = "training/state.safetensors";

    private TrainingStates() {
    }

    /** Reads and checks all that a resumed run would take from its folder, without a trainer.
     *
     * @param folder of the run
     * @param model  that it trains
     * @throws IOException if the state says something wrong */
    public static void read(Path folder, BitLlama model) throws IOException {
        TrainingState state = TrainingState.read(folder);
        state.masters(model);
        if (state.options().steps() < 1) {
            throw new AssertionError("options without a step: " + state.options());
        }
    }

    /** Writes a state whose every number is the step.
     *
     * @param folder of the run
     * @param model  that it trains
     * @param step   that it is at
     * @throws IOException if that fails */
    public static void write(Path folder, BitLlama model, int step) throws IOException {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        for (Param param : model.params()) {
            float[] values = new float[param.length()];
            Arrays.fill(values, step);
            for (String part : List.of("master.", "first.", "second.")) {
                tensors.put(part + param.path(), Tensor.of(values, values.length));
            }
        }
        TrainingState.write(folder, tensors,
                Map.of("step", String.valueOf(step), "best_loss", "1", "options", "{\"tokens\": 1000000000000}"));
    }

    /** Reads the step of a state that {@link #write} wrote, after a check that every number of it is the same.
     *
     * @param folder of the run
     * @param model  that it trains
     * @return the step
     * @throws IOException if the state says something wrong */
    public static int step(Path folder, BitLlama model) throws IOException {
        TrainingState state = TrainingState.read(folder);
        for (Tensor tensor : state.file().tensors().values()) {
            for (float value : tensor.floats()) {
                if (value != state.step()) {
                    throw new AssertionError("a number of step " + value + " in the state of step " + state.step());
                }
            }
        }
        state.masters(model);
        return Math.toIntExact(state.step());
    }
}
