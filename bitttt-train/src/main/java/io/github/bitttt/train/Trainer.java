package io.github.bitttt.train;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.BiConsumer;

/**
 * Trains a Bit-Llama step by step in memory; {@link TrainingRun} adds the folder, checkpoints and resuming.
 *
 * <p>A step asks a {@link GradientSource} for loss and gradient and gives them to an {@link Optimizer}: where the gradient is computed,
 * in this process or on a cluster, makes no difference here. Same seed, text, options and thread count give the same masters bit for
 * bit. For one thread; close it.
 *
 * <pre>{@code
 * try (Trainer trainer = new Trainer(model, Weights.init(model.params(), 1), ids, TrainingOptions.of(100_000))) {
 *     while (!trainer.done()) {
 *         System.out.println(trainer.step());
 *     }
 *     Weights trained = trainer.weights();
 * }
 * }</pre>
 */
public final class Trainer implements AutoCloseable {
    private final BitLlama model;
    private final TrainingOptions options;
    private final SequencedMap<Param, float[]> masters = new LinkedHashMap<>();
    private final SequencedMap<Param, float[]> gradients = new LinkedHashMap<>();
    private final GradientSource source;
    private final Optimizer optimizer;
    private final Optional<RunningMean> average;
    private long step;
    private double lastGoodLoss = Double.NaN;

    /** A run from given weights.
     *
     * @param model   the model
     * @param start   its masters, which are copied
     * @param ids     the training text's tokens
     * @param options how to train */
    public Trainer(BitLlama model, Weights start, int[] ids, TrainingOptions options) {
        this(model, start, TrainingText.of(ids), options);
    }

    /** A run from given weights on a text of which not every token counts.
     *
     * @param model   the model
     * @param start   its masters, which are copied
     * @param text    the training text
     * @param options how to train */
    public Trainer(BitLlama model, Weights start, TrainingText text, TrainingOptions options) {
        this(model, start, options, new LocalGradients(model, text, options),
                new AdamW(model.params(), options.descent().weightDecay(), options.descent().clip()));
    }

    /** A run whose gradients come from anywhere.
     *
     * @param model     the model
     * @param start     its masters, which are copied
     * @param options   how to train
     * @param source    of gradients, closed with this
     * @param optimizer that makes steps of them */
    public Trainer(BitLlama model, Weights start, TrainingOptions options, GradientSource source,
            Optimizer optimizer) {
        this.model = model;
        this.options = options;
        this.source = source;
        this.optimizer = optimizer;
        model.params().forEach(param -> {
            masters.put(param, start.floats(param).clone());
            gradients.put(param, new float[param.length()]);
        });
        average = options.descent().average() > 0
                ? Optional.of(new RunningMean(masters, options.descent().average()))
                : Optional.empty();
    }

    /** One step: windows, loss and gradients, the optimizer. Where the source's machines train by themselves for some steps, as
     * many.
     *
     * @return what it was like
     * @throws InterruptedException if the thread is interrupted; the masters are those before the step
     * @throws TrainingException    if the loss or a gradient is not finite; the masters are those before the step */
    public StepResult step() throws InterruptedException {
        long started = System.nanoTime();
        double rate = options.rate(step);
        double loss = source.gradient(masters, step, gradients);
        double norm = AdamW.norm(gradients);
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            throw new TrainingException(step + 1, loss, norm, lastGoodLoss, rate);
        }
        lastGoodLoss = loss;
        optimizer.step(masters, gradients, norm, rate);
        long before = step;
        step = Math.min(options.steps(), step + source.stepsAtOnce());
        average.ifPresent(mean -> mean.add(masters, step));
        Duration elapsed = Duration.ofNanos(System.nanoTime() - started);
        return new StepResult(step, step * options.tokensPerStep(), loss, norm, rate, elapsed,
                (step - before) * options.tokensPerStep() * 1e9 / elapsed.toNanos());
    }

    /** Mean cross entropy over a text, by the weights that would be saved. It is read as in training: in windows, each from an
     * empty memory, or carried over as many windows as there; what does not fill a window counts as well.
     *
     * @param ids its tokens, at least two
     * @return nats per token
     * @throws InterruptedException if the thread is interrupted */
    public double evaluate(int[] ids) throws InterruptedException {
        return evaluate(TrainingText.of(ids));
    }

    /** Mean cross entropy over the tokens of a text that count, see {@link #evaluate(int[])}.
     *
     * @param measured at least two tokens, of which one after the first counts
     * @return nats per token that counts
     * @throws InterruptedException if the thread is interrupted */
    public double evaluate(TrainingText measured) throws InterruptedException {
        return evaluate(measured, RunOptions.ALL);
    }

    /** Mean cross entropy over a part of a text, spread evenly over it, see {@link #evaluate(int[])}.
     *
     * @param measured at least two tokens, of which one after the first counts
     * @param tokens   the most to read, rounded to whole windows
     * @return nats per token that counts
     * @throws InterruptedException if the thread is interrupted */
    public double evaluate(TrainingText measured, long tokens) throws InterruptedException {
        requireTargets(measured);
        return source.evaluate(current(), measured, tokens);
    }

    static void requireTargets(TrainingText measured) {
        if (measured.targets() == 0) {
            throw new IllegalArgumentException(
                    "a validation text needs at least 2 tokens, and one that counts after the first, got " + measured);
        }
    }

    /** Whether the budget is spent.
     *  @return true after the last step */
    public boolean done() {
        return step >= options.steps();
    }

    /** Steps made so far.
     *  @return from 0 */
    public long steps() {
        return step;
    }

    /** The weights that are measured and saved: the masters as they are now, or their running mean if the options ask for one.
     *  @return a copy, which no later step changes */
    public Weights weights() {
        SequencedMap<Param, float[]> copies = new LinkedHashMap<>();
        measured().forEach((param, values) -> copies.put(param, values.clone()));
        return Weights.of(copies);
    }

    /** The same without a copy, to be used before the next step: a model of a billion weights is not to be held twice. */
    Weights current() {
        return Weights.of(measured());
    }

    private SequencedMap<Param, float[]> measured() {
        return average.map(RunningMean::means).orElse(masters);
    }

    /** The model that is trained.
     *  @return names and sizes */
    public BitLlama model() {
        return model;
    }

    /** How it is trained.
     *  @return the options */
    public TrainingOptions options() {
        return options;
    }

    SequencedMap<Param, float[]> masters() {
        return masters;
    }

    /** Every array that a run must keep to go on, under a name of its own: the arrays themselves. */
    void state(BiConsumer<String, float[]> parts) {
        masters.forEach((param, values) -> parts.accept("master." + param.path(), values));
        optimizer.state(parts);
        average.ifPresent(
                mean -> mean.means().forEach((param, values) -> parts.accept("mean." + param.path(), values)));
        source.state(parts);
    }

    /** Goes on after a number of steps; the arrays of the state were restored by the caller. */
    void resumeAt(long made) {
        step = made;
        optimizer.resumeAt(made);
        source.resumeAt(made);
    }

    @Override
    public void close() {
        source.close();
    }
}
