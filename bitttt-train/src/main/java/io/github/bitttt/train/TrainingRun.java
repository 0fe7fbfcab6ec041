package io.github.bitttt.train;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.BiFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A training run in a folder: the best model so far, the state to go on from, and a log of every step.
 *
 * <p>The folder is a model folder at any moment: {@code config.json}, {@code tokenizer.json} and the masters with the lowest
 * validation loss in {@code model.safetensors}; beside them {@code training/state.safetensors}, and the logs {@code training/steps.csv} and
 * {@code training/log.jsonl}.
 * A run that is killed goes on from its last checkpoint, and then equals an uninterrupted one bit for bit. So does one whose thread is
 * interrupted, which saves its state first. Where the gradients are computed is a {@link Workplace}'s matter: folder, logs and
 * validation are the same for a run on a cluster.
 */
public final class TrainingRun implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(TrainingRun.class);

    private final Path folder;
    private final Trainer trainer;
    private final TrainingText validation;
    private final Map<String, String> provenance;
    private TrainingState.Best best = TrainingState.Best.NONE;
    private long checkpointed;
    private boolean validationDue;
    private volatile boolean stopped;

    private TrainingRun(Path folder, Trainer trainer, TrainingText validation, Map<String, String> provenance) {
        this.folder = folder;
        this.trainer = trainer;
        this.validation = validation;
        this.provenance = provenance;
    }

    /**
     * Texts of a run, in memory.
     *
     * @param training   what is learned
     * @param validation what chooses the best model; empty for none
     * @param format     of both
     */
    public record Texts(String training, String validation, TextFormat format) implements TrainingData {
        /** Plain texts.
         *
         * @param training   what is learned
         * @param validation what chooses the best model; empty for none */
        public Texts(String training, String validation) {
            this(training, validation, TextFormat.PLAIN);
        }

        /** A text whose last tenth is the validation text. It is cut between documents; where the last tenth holds no such place, at
         * the end of a line, of a word, or of a character. JSON lines are cut between lines only, so a single line has no validation
         * text.
         *
         * @param text   of both
         * @param format of the text
         * @return the texts */
        public static Texts lastTenth(String text, TextFormat format) {
            int cut = format.lastTenth(text);
            return new Texts(text.substring(0, cut), text.substring(cut), format);
        }

        @Override
        public TrainingText training(Tokenizer tokenizer) {
            return format.tokens(training, tokenizer);
        }

        @Override
        public TrainingText validation(Tokenizer tokenizer) {
            return validation.isEmpty() ? TrainingText.of() : format.tokens(validation, tokenizer);
        }

        @Override
        public SequencedMap<String, String> identity() {
            SequencedMap<String, String> identity = new LinkedHashMap<>();
            identity.put("training_text_sha256", TrainingState.digest(training));
            identity.put("validation_text_sha256", TrainingState.digest(validation));
            identity.put("text_format", format.name());
            return identity;
        }
    }

    /** Begins a run in a new folder, from first weights of the options' seed.
     *
     * @param folder    which must not exist
     * @param config    sizes and forms
     * @param tokenizer of the config's vocabulary
     * @param data      to train on
     * @param options   how to train
     * @return the run, before its first step
     * @throws IOException if the folder exists or cannot be written */
    public static TrainingRun start(Path folder, BitLlamaConfig config, Tokenizer tokenizer, TrainingData data,
            TrainingOptions options) throws IOException {
        BitLlama model = new BitLlama(config);
        return start(folder, new Checkpoint(config, Weights.init(model.params(), options.seed()), Map.of()), tokenizer,
                data, options);
    }

    /** Begins a run in a new folder, from the masters of another model: fine-tuning.
     *
     * @param folder    which must not exist
     * @param from      masters
     * @param tokenizer of their vocabulary
     * @param data      to train on
     * @param options   how to train
     * @return the run, before its first step
     * @throws IOException if the folder exists or cannot be written */
    public static TrainingRun start(Path folder, Checkpoint from, Tokenizer tokenizer, TrainingData data,
            TrainingOptions options) throws IOException {
        return start(folder, from, tokenizer, data, options, Workplace.HERE);
    }

    /** Begins a run in a new folder, its gradients computed anywhere.
     *
     * @param folder    which must not exist
     * @param from      masters
     * @param tokenizer of their vocabulary
     * @param data      to train on
     * @param options   how to train
     * @param workplace where
     * @return the run, before its first step
     * @throws IOException if the folder exists or cannot be written */
    public static TrainingRun start(Path folder, Checkpoint from, Tokenizer tokenizer, TrainingData data,
            TrainingOptions options, Workplace workplace) throws IOException {
        if (tokenizer.vocabSize() != from.config().vocabSize()) {
            throw new IllegalArgumentException("the model has a vocabulary of " + from.config().vocabSize()
                    + " tokens, the tokenizer one of " + tokenizer.vocabSize());
        }
        if (Files.exists(folder)) {
            throw new IOException(folder + ": exists already; choose another folder or remove it first");
        }
        TrainingRun run = open(folder, from, tokenizer, data, options, workplace);
        try {
            new Checkpoint(from.config(), run.trainer.current(), from.configText(), run.metadata(Double.NaN)).save(
                    folder, tokenizer.json());
            Files.createDirectories(folder.resolve(TrainingState.FOLDER));
            run.checkpoint();
        } catch (IOException | RuntimeException e) {
            run.close();
            throw e;
        }
        return run;
    }

    private static TrainingRun open(Path folder, Checkpoint from, Tokenizer tokenizer, TrainingData data,
            TrainingOptions options, Workplace workplace) throws IOException {
        Map<String, String> provenance = new LinkedHashMap<>(from.metadata());
        provenance.putAll(data.identity());
        provenance.put("options", options.toString());
        provenance.put("label", options.run().label());
        provenance.put("java", Runtime.version().toString());
        provenance.putAll(workplace.description());
        TrainingText validation = data.validation(tokenizer);
        if (validation.length() > 0) {
            // Now, and not after hours of training.
            Trainer.requireTargets(validation);
        }
        Trainer trainer = workplace.trainer(new BitLlama(from.config()), from.weights(), data.training(tokenizer),
                options);
        return new TrainingRun(folder, trainer, validation, provenance);
    }

    /** Goes on with a run of this process from its last checkpoint.
     *
     * @param folder of the run
     * @param data   the same as when it began
     * @return the run, as it was then
     * @throws IOException if there is no run in the folder, or it was begun with other texts */
    public static TrainingRun resume(Path folder, TrainingData data) throws IOException {
        return resume(folder, data, (kept, _) -> {
            if (kept.containsKey(ClusterTraining.DESCRIPTION)) {
                throw new IllegalArgumentException(
                        folder + ": this run began on a cluster; go on with it there, by --spark");
            }
            return Workplace.HERE;
        });
    }

    /** Goes on with a run from its last checkpoint.
     *
     * @param folder of the run
     * @param data   the same as when it began
     * @param where  from what the run kept, its {@linkplain Workplace#description() workplace's description} among it, and its options to
     *               a workplace
     * @return the run, as it was then
     * @throws IOException if there is no run in the folder, or it was begun with other texts */
    public static TrainingRun resume(Path folder, TrainingData data,
            BiFunction<Map<String, String>, TrainingOptions, Workplace> where)
            throws IOException {
        TrainingState state = TrainingState.read(folder);
        state.check(folder, data.identity());
        Checkpoint best = Checkpoint.load(folder);
        Checkpoint first = new Checkpoint(best.config(), state.masters(new BitLlama(best.config())), best.configText(),
                Map.of());
        TrainingRun run = open(folder, first, Tokenizer.load(folder), data, state.options(),
                where.apply(state.file().metadata(), state.options()));
        try {
            state.restore(run.trainer);
            run.best = state.best();
            run.checkpointed = state.step();
            run.validationDue = state.validationDue();
            StepLog.cut(folder, state.step());
        } catch (IOException | RuntimeException e) {
            run.close();
            throw e;
        }
        LOGGER.info("{}: goes on after step {}", folder, state.step());
        return run;
    }

    /** Whether a run chooses its model by no validation text.
     *
     * @param folder of the run
     * @return true if it was begun without
     * @throws IOException if there is no run in the folder */
    public static boolean isWithoutValidation(Path folder) throws IOException {
        return TrainingState.digest("")
                .equals(TrainingState.read(folder).file().metadata().get("validation_text_sha256"));
    }

    /** Trains until the budget is spent, until the options' patience with validations that are no better is, or until {@link #stop}.
     *
     * @param listener hears steps, validations and checkpoints
     * @return the lowest validation loss, in nats per token; NaN without validation text
     * @throws IOException          if a checkpoint cannot be written
     * @throws InterruptedException if the thread is interrupted: the state after the last step is saved
     * @throws TrainingException    if the loss or a gradient is not finite: then the last checkpoint stands */
    public double run(TrainingListener listener) throws IOException, InterruptedException {
        stopped = false;
        try (StepLog log = new StepLog(folder, trainer.options().run().label())) {
            try {
                loop(listener, log);
            } catch (InterruptedException e) {
                log.flush();
                checkpoint();
                throw e;
            } catch (ClosedByInterruptException e) {
                // The interrupt came in the middle of a file, which is as it was before. Once more, without it.
                Thread.interrupted();
                log.flush();
                checkpoint();
                InterruptedException interrupted = new InterruptedException(
                        "interrupted while " + folder + " was saved after step " + trainer.steps());
                interrupted.initCause(e);
                throw interrupted;
            }
        }
        return validation.length() == 0 ? Double.NaN : best.loss();
    }

    private void loop(TrainingListener listener, StepLog log) throws IOException, InterruptedException {
        if (validationDue) { // an interrupt came before it
            validate(listener, log);
            log.flush();
            checkpoint();
        }
        RunOptions run = trainer.options().run();
        while (!finished() && !stopped) {
            long before = trainer.steps();
            StepResult result = step();
            log.step(result);
            listener.step(result);
            // A round on a cluster may be many steps, so the number is passed rather than met.
            validationDue = passed(run.validationEvery(), before, result.step()) || trainer.done();
            if (validationDue) {
                validate(listener, log);
            }
            if (passed(run.checkpointEvery(), before, result.step()) || finished() || stopped) {
                log.flush();
                checkpoint();
                listener.checkpoint(result.step(), folder);
            }
        }
    }

    private static boolean passed(int every, long before, long after) {
        return after / every > before / every;
    }

    /** Ends {@link #run} after the step that is under way, its state saved: for a listener, or for another thread. */
    public void stop() {
        stopped = true;
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
        int patience = trainer.options().run().patience();
        return patience > 0 && best.since() >= patience;
    }

    private void validate(TrainingListener listener, StepLog log) throws IOException, InterruptedException {
        if (validation.length() == 0) {
            save(Double.NaN);
            validationDue = false;
            return;
        }
        double loss = trainer.evaluate(validation, trainer.options().run().validationTokens());
        boolean better = loss < best.loss();
        if (better) {
            save(loss);
        }
        best = better ? new TrainingState.Best(loss, 0) : new TrainingState.Best(best.loss(), best.since() + 1);
        validationDue = false;
        log.validation(trainer.steps(), loss, better);
        listener.validation(trainer.steps(), loss, better);
        LOGGER.info("step {}: validation {} nats per token{}", trainer.steps(), loss,
                better ? ", the best so far" : "");
    }

    private void save(double loss) throws IOException {
        new Checkpoint(trainer.model().config(), trainer.current(), metadata(loss)).saveWeights(folder);
    }

    private Map<String, String> metadata(double loss) {
        Map<String, String> metadata = new LinkedHashMap<>(provenance);
        metadata.put("step", String.valueOf(trainer.steps()));
        metadata.put("tokens", String.valueOf(trainer.steps() * trainer.options().tokensPerStep()));
        metadata.put("validation_nats_per_token", String.valueOf(loss));
        return metadata;
    }

    private void checkpoint() throws IOException {
        TrainingState.write(folder, trainer, best, validationDue, provenance);
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
