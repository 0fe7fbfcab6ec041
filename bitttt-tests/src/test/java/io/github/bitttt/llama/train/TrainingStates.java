package io.github.bitttt.llama.train;

import io.github.bitttt.llama.BitLlama;
import java.io.IOException;
import java.nio.file.Path;

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
}
