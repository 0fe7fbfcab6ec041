package io.github.bitttt.llama.train;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.SequencedMap;

/**
 * Trains a Bit-Llama step by step in memory; {@link TrainingRun} adds the folder, checkpoints and resuming.
 *
 * <p>Same seed, text, options and thread count give the same masters bit for bit. For one thread; close it.
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
    private final AdamW optimizer;
    private final TrainingGraph graph;
    private final int[] ids;
    private TokenWindows windows;
    private double lastGoodLoss = Double.NaN;

    /** A run from given weights.
     *
     * @param model   the model
     * @param start   its masters, which are copied
     * @param ids     the training text's tokens
     * @param options how to train */
    public Trainer(BitLlama model, Weights start, int[] ids, TrainingOptions options) {
        this.model = model;
        this.options = options;
        this.ids = ids;
        model.params().forEach(param -> {
            masters.put(param, start.floats(param).clone());
            gradients.put(param, new float[param.length()]);
        });
        windows = new TokenWindows(ids, options, 0);
        optimizer = new AdamW(model.params(), options.weightDecay(), options.clip());
        graph = TrainingGraph.training(model, options.batch(), options.window());
        graph.load(weights());
    }

    /** One step: windows, loss and gradients, AdamW.
     *
     * @return what it was like
     * @throws InterruptedException if the thread is interrupted before the step began
     * @throws TrainingException    if the loss or a gradient is not finite; the masters are those before the step */
    public StepResult step() throws InterruptedException {
        long started = System.nanoTime();
        TokenWindows.Batch batch = windows.next();
        double rate = options.rate(optimizer.steps());
        double loss = graph.step(batch.inputs(), batch.targets());
        gradients.sequencedEntrySet().forEach(entry -> graph.gradient(entry.getKey(), entry.getValue()));
        double norm = AdamW.norm(gradients);
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            throw new TrainingException(optimizer.steps() + 1, loss, norm, lastGoodLoss, rate);
        }
        lastGoodLoss = loss;
        optimizer.step(masters, gradients, norm, rate);
        graph.load(weights());
        Duration elapsed = Duration.ofNanos(System.nanoTime() - started);
        return new StepResult(optimizer.steps(), optimizer.steps() * options.tokensPerStep(), loss, norm, rate, elapsed,
                options.tokensPerStep() * 1e9 / elapsed.toNanos());
    }

    /** Mean cross entropy over a text in windows, each from an empty memory; what does not fill a window counts as well.
     *
     * @param text its tokens, at least two
     * @return nats per token */
    public double evaluate(int[] text) {
        if (text.length < 2) {
            throw new IllegalArgumentException("a validation text needs at least 2 tokens, got " + text.length);
        }
        int rows = Math.toIntExact(options.tokensPerStep());
        double nats = 0;
        for (int from = 0; from < text.length - 1; from += rows) {
            int size = Math.min(rows, text.length - 1 - from);
            float[] counted = new float[rows];
            Arrays.fill(counted, 0, size, 1);
            int[] inputs = Arrays.copyOf(Arrays.copyOfRange(text, from, from + size), rows);
            int[] targets = Arrays.copyOf(Arrays.copyOfRange(text, from + 1, from + 1 + size), rows);
            nats += graph.loss(inputs, targets, counted) * size;
        }
        return nats / (text.length - 1);
    }

    /** Whether the budget is spent.
     *  @return true after the last step */
    public boolean done() {
        return optimizer.steps() >= options.steps();
    }

    /** Steps made so far.
     *  @return from 0 */
    public long steps() {
        return optimizer.steps();
    }

    /** The masters as they are now: a view that the next step changes.
     *  @return float32 weights */
    public Weights weights() {
        return Weights.of(masters);
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

    AdamW optimizer() {
        return optimizer;
    }

    /** Goes on after a number of steps; masters and moments were restored by the caller. */
    void resumeAt(long step) {
        optimizer.resumeAt(step);
        graph.load(weights());
        windows.close();
        windows = new TokenWindows(ids, options, step);
    }

    @Override
    public void close() {
        windows.close();
        graph.close();
    }
}
