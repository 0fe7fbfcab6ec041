package io.github.bitttt.train;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.nn.Weights;
import java.util.Map;

/** Where a run's gradients are computed. */
public interface Workplace {
    /** This process. */
    Workplace HERE = new Workplace() {
        @Override
        public Trainer trainer(BitLlama model, Weights masters, TrainingText text, TrainingOptions options) {
            return new Trainer(model, masters, text, options);
        }

        @Override
        public Map<String, String> description() {
            return Map.of();
        }
    };

    /** Begins to train.
     *
     * @param model   the model
     * @param masters to begin with
     * @param text    the training text
     * @param options how
     * @return a trainer that the caller closes */
    Trainer trainer(BitLlama model, Weights masters, TrainingText text, TrainingOptions options);

    /** What a resumed run must know of it; nothing for this process.
     *  @return kept in the run's state */
    Map<String, String> description();
}
