package io.github.bitttt.train;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A training run in a folder: the best model so far, the state to go on from, and a log of every step.
 *
 * <p>The folder is a model folder at any moment: {@code config.json}, {@code tokenizer.json} and the masters with the lowest
 * validation loss in {@code model.safetensors}; beside them {@code training/state.safetensors}, and the logs {@code training/steps.csv} and
 * {@code training/log.jsonl}.
 * A run that is killed goes on from its last checkpoint, and then equals an uninterrupted one bit for bit.
 */
public final class TrainingRun implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(TrainingRun.class);

    private final Path folder;
    private final Trainer trainer;
    private final TrainingText validation;
    private final Map<String, String> provenance;
    private TrainingState.Best best = TrainingState.Best.NONE;
    private long checkpointed;

    private TrainingRun(Path folder, Trainer trainer, TrainingText validation, Map<String, String> provenance) {
        this.folder = folder;
        this.trainer = trainer;
        this.validation = validation;
        this.provenance = provenance;
    }

    /**
     * Texts of a run.
     *
     * @param training   what is learned
     * @param validation what chooses the best model; empty for none
     * @param format     of both
     */
    public record Texts(String training, String validation, TextFormat format) {
        /** Plain texts.
         *
         * @param training   what is learned
         * @param validation what chooses the best model; empty for none */
        public Texts(String training, String validation) {
            this(training, validation, TextFormat.PLAIN);
        }
    }

    /** Begins a run in a new folder, from first weights of the options' seed.
     *
     * @param folder    which must not exist
     * @param config    sizes and forms
     * @param tokenizer of the config's vocabulary
     * @param texts     to train on
     * @param options   how to train
     * @return the run, before its first step
     * @throws IOException if the folder exists or cannot be written */
    public static TrainingRun start(Path folder, BitLlamaConfig config, Tokenizer tokenizer, Texts texts,
            TrainingOptions options) throws IOException {
        BitLlama model = new BitLlama(config);
        return start(folder, new Checkpoint(config, Weights.init(model.params(), options.seed()), Map.of()), tokenizer,
                texts,
                options);
    }

    /** Begins a run in a new folder, from the masters of another model: fine-tuning.
     *
     * @param folder    which must not exist
     * @param from      masters
     * @param tokenizer of their vocabulary
     * @param texts     to train on
     * @param options   how to train
     * @return the run, before its first step
     * @throws IOException if the folder exists or cannot be written */
    public static TrainingRun start(Path folder, Checkpoint from, Tokenizer tokenizer, Texts texts,
            TrainingOptions options)
            throws IOException {
        if (tokenizer.vocabSize() != from.config().vocabSize()) {
            throw new IllegalArgumentException("the model has a vocabulary of " + from.config().vocabSize()
                    + " tokens, the tokenizer one of " + tokenizer.vocabSize());
        }
        TrainingRun run = open(folder, from, tokenizer, texts, options);
        try {
            new Checkpoint(from.config(), run.trainer.weights(), from.configText(), run.metadata(Double.NaN)).save(
                    folder,
                    tokenizer.json());
            Files.createDirectories(folder.resolve(TrainingState.FOLDER));
            run.checkpoint();
        } catch (IOException | RuntimeException e) {
            run.close();
            throw e;
        }
        return run;
    }

    private static TrainingRun open(Path folder, Checkpoint from, Tokenizer tokenizer, Texts texts,
            TrainingOptions options) {
        BitLlama model = new BitLlama(from.config());
        Map<String, String> provenance = new LinkedHashMap<>(from.metadata());
        provenance.put("training_text_sha256", TrainingState.digest(texts.training()));
        provenance.put("validation_text_sha256", TrainingState.digest(texts.validation()));
        provenance.put("text_format", texts.format().name());
        provenance.put("options", options.toString());
        provenance.put("label", options.label());
        provenance.put("java", Runtime.version().toString());
        Trainer trainer = new Trainer(model, from.weights(),
                texts.format().tokens(texts.training(), tokenizer), options);
        TrainingText validation = texts.validation().isEmpty()
                ? TrainingText.of()
                : texts.format().tokens(texts.validation(), tokenizer);
        return new TrainingRun(folder, trainer, validation, provenance);
    }

    /** Goes on with a run from its last checkpoint.
     *
     * @param folder of the run
     * @param texts  the same as when it began
     * @return the run, as it was then
     * @throws IOException if there is no run in the folder, or it was begun with other texts */
    public static TrainingRun resume(Path folder, Texts texts) throws IOException {
        TrainingState state = TrainingState.read(folder);
        state.checkTexts(folder, texts);
        Checkpoint best = Checkpoint.load(folder);
        Checkpoint first = new Checkpoint(best.config(), state.masters(new BitLlama(best.config())), best.configText(),
                Map.of());
        TrainingRun run = open(folder, first, Tokenizer.load(folder), texts, state.options());
        state.restore(run.trainer);
        run.best = state.best();
        run.checkpointed = state.step();
        StepLog.cut(folder, state.step());
        LOGGER.info("{}: goes on after step {}", folder, state.step());
        return run;
    }

    /** Trains until the budget is spent, or until the options' patience with validations that are no better is.
     *
     * @param listener hears steps, validations and checkpoints
     * @return the lowest validation loss, in nats per token; NaN without validation text
     * @throws IOException          if a checkpoint cannot be written
     * @throws InterruptedException if the thread is interrupted: then the last checkpoint stands
     * @throws TrainingException    if the loss or a gradient is not finite: then the last checkpoint stands */
    public double run(TrainingListener listener) throws IOException, InterruptedException {
        TrainingOptions options = trainer.options();
        try (StepLog log = new StepLog(folder, options.label())) {
            while (!finished()) {
                StepResult result = step();
                log.step(result);
                listener.step(result);
                if (result.step() % options.validationEvery() == 0 || trainer.done()) {
                    validate(listener, log);
                }
                if (result.step() % options.checkpointEvery() == 0 || finished()) {
                    log.flush();
                    checkpoint();
                    listener.checkpoint(result.step(), folder);
                }
            }
        }
        return validation.length() == 0 ? Double.NaN : best.loss();
    }

    private StepResult step() throws InterruptedException {
        try {
            return trainer.step();
        } catch (TrainingException e) {
            throw e.keeping(folder, checkpointed);
        }
    }

    /** Whether training is over.
     *  @return true when the budget is spent, or training {@linkplain #stoppedEarly stopped early} */
    public boolean finished() {
        return trainer.done() || stoppedEarly();
    }

    /** Whether the last validations were no better than the best, as many as the options have patience with.
     *  @return true if that ended training */
    public boolean stoppedEarly() {
        int patience = trainer.options().patience();
        return patience > 0 && best.since() >= patience;
    }

    private void validate(TrainingListener listener, StepLog log) throws IOException {
        if (validation.length() == 0) {
            save(Double.NaN);
            return;
        }
        double loss = trainer.evaluate(validation);
        boolean better = loss < best.loss();
        best = better ? new TrainingState.Best(loss, 0) : new TrainingState.Best(best.loss(), best.since() + 1);
        log.validation(trainer.steps(), loss, better);
        listener.validation(trainer.steps(), loss, better);
        LOGGER.info("step {}: validation {} nats per token{}", trainer.steps(), loss,
                better ? ", the best so far" : "");
        if (better) {
            save(loss);
        }
    }

    private void save(double loss) throws IOException {
        new Checkpoint(trainer.model().config(), trainer.weights(), metadata(loss)).saveWeights(folder);
    }

    private Map<String, String> metadata(double loss) {
        Map<String, String> metadata = new LinkedHashMap<>(provenance);
        metadata.put("step", String.valueOf(trainer.steps()));
        metadata.put("tokens", String.valueOf(trainer.steps() * trainer.options().tokensPerStep()));
        metadata.put("validation_nats_per_token", String.valueOf(loss));
        return metadata;
    }

    private void checkpoint() throws IOException {
        TrainingState.write(folder, trainer, best, provenance);
        checkpointed = trainer.steps();
    }

    /** The trainer, for its state.
     *  @return of this run */
    public Trainer trainer() {
        return trainer;
    }

    @Override
    public void close() {
        trainer.close();
    }

    @Override
    public String toString() {
        return "TrainingRun[" + folder + ", step " + trainer.steps() + " of " + trainer.options().steps() + "]";
    }
}
