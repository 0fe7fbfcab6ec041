package io.github.bitttt.train;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Optional;
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
    private final TrainingText text;
    private final Optional<RunningMean> average;
    private final Optional<CarriedMemories> carried;
    private TokenWindows windows;
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
        if (options.carry() > 1 && model.config().attentionHeads() > 0) {
            throw new IllegalArgumentException(
                    "attention has no memory of constant size to carry: carry must be 1, got " + options.carry());
        }
        this.model = model;
        this.options = options;
        this.text = text;
        model.params().forEach(param -> {
            masters.put(param, start.floats(param).clone());
            gradients.put(param, new float[param.length()]);
        });
        Backend.start();
        // Windows first: a text that is too short is refused before the graph takes its memory.
        windows = new TokenWindows(text, options, 0);
        graph = TrainingGraph.training(model, options.microBatch(), options.window(), options.dropout());
        optimizer = new AdamW(model.params(), options.weightDecay(), options.clip());
        average = options.average() > 0 ? Optional.of(new RunningMean(masters, options.average())) : Optional.empty();
        carried = options.carry() > 1 ? Optional.of(emptyMemories(options.batch())) : Optional.empty();
        graph.load(Weights.of(masters));
    }

    private CarriedMemories emptyMemories(int streams) {
        return new CarriedMemories(model, streams, options.microBatch());
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
        double loss = gradients(batch);
        double norm = AdamW.norm(gradients);
        if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            throw new TrainingException(optimizer.steps() + 1, loss, norm, lastGoodLoss, rate);
        }
        lastGoodLoss = loss;
        optimizer.step(masters, gradients, norm, rate);
        average.ifPresent(mean -> mean.add(masters, optimizer.steps()));
        graph.load(Weights.of(masters));
        Duration elapsed = Duration.ofNanos(System.nanoTime() - started);
        return new StepResult(optimizer.steps(), optimizer.steps() * options.tokensPerStep(), loss, norm, rate, elapsed,
                options.tokensPerStep() * 1e9 / elapsed.toNanos());
    }

    /** Sums the gradients of the micro-batches; the mean loss over the targets that count, 0 if there are none. */
    private double gradients(TokenWindows.Batch batch) {
        int pieces = options.batch() / options.microBatch();
        int rows = options.microBatch() * options.window();
        double total = sum(batch.weights());
        carried.ifPresent(this::emptyWhereAStretchBegins);
        double loss = 0;
        for (int piece = 0; piece < pieces; piece++) {
            int number = piece;
            int from = piece * rows;
            float[] weights = Arrays.copyOfRange(batch.weights(), from, from + rows);
            double share = total == 0 ? 0 : sum(weights) / total;
            if (share == 0) {
                Arrays.fill(weights, 1); // the memories must go on even where no target counts
            }
            carried.ifPresent(memories -> graph.setMemories(memories.of(number)));
            graph.drop(options.orderSeed(), optimizer.steps() * options.batch() + (long) number * options.microBatch());
            loss += share * graph.step(Arrays.copyOfRange(batch.inputs(), from, from + rows),
                    Arrays.copyOfRange(batch.targets(), from, from + rows), weights);
            carried.ifPresent(memories -> memories.put(number, graph.memories()));
            gradients.sequencedEntrySet().parallelStream()
                    .forEach(entry -> accumulate(entry.getKey(), entry.getValue(), number == 0, share));
        }
        return loss;
    }

    private static double sum(float[] weights) {
        double sum = 0;
        for (float weight : weights) {
            sum += weight;
        }
        return sum;
    }

    private void accumulate(Param param, float[] sum, boolean first, double share) {
        if (first && share == 1) {
            graph.gradient(param, sum);
            return;
        }
        float[] gradient = new float[sum.length];
        graph.gradient(param, gradient);
        for (int i = 0; i < sum.length; i++) {
            sum[i] = (float) ((first ? 0 : sum[i]) + gradient[i] * share);
        }
    }

    private void emptyWhereAStretchBegins(CarriedMemories memories) {
        for (int stream = 0; stream < options.batch(); stream++) {
            if (WindowReader.position(options, optimizer.steps(), stream) == 0) {
                memories.empty(stream);
            }
        }
    }

    /** Mean cross entropy over a text, by the weights that would be saved. It is read as in training: in windows, each from an
     * empty memory, or carried over as many windows as there; what does not fill a window counts as well.
     *
     * @param ids its tokens, at least two
     * @return nats per token */
    public double evaluate(int[] ids) {
        return evaluate(TrainingText.of(ids));
    }

    /** Mean cross entropy over the tokens of a text that count, see {@link #evaluate(int[])}.
     *
     * @param measured at least two tokens, of which one after the first counts
     * @return nats per token that counts */
    public double evaluate(TrainingText measured) {
        if (measured.targets() == 0) {
            throw new IllegalArgumentException(
                    "a validation text needs at least 2 tokens, and one that counts after the first, got " + measured);
        }
        average.ifPresent(mean -> graph.load(weights()));
        int streams = options.microBatch();
        int last = measured.length() - 1;
        double nats = 0;
        for (long from = 0; from < last; from += (long) streams * options.carry() * options.window()) {
            Optional<CarriedMemories> memories = carried.map(_ -> emptyMemories(streams));
            for (int segment = 0; segment < options.carry(); segment++) {
                nats += nats(measured, from + (long) segment * options.window(), memories);
            }
        }
        average.ifPresent(mean -> graph.load(Weights.of(masters)));
        return nats / measured.targets();
    }

    /** The nats of one pass: a window of each stream, a stretch apart. */
    private double nats(TrainingText measured, long from, Optional<CarriedMemories> memories) {
        int window = options.window();
        int rows = options.microBatch() * window;
        int[] inputs = new int[rows];
        int[] targets = new int[rows];
        float[] counted = new float[rows];
        for (int row = 0; row < rows; row++) {
            long position = from + (long) (row / window) * options.carry() * window + row % window;
            if (position < measured.length() - 1) {
                inputs[row] = measured.id((int) position);
                targets[row] = measured.id((int) position + 1);
                counted[row] = measured.weight((int) position + 1);
            }
        }
        double count = sum(counted);
        if (count == 0) {
            Arrays.fill(counted, 1);
        }
        memories.ifPresent(before -> graph.setMemories(before.of(0)));
        double loss = graph.loss(inputs, targets, counted);
        memories.ifPresent(after -> after.put(0, graph.memories()));
        return loss * count;
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

    /** The weights that are measured and saved: the masters as they are now, or their running mean if the options ask for one.
     * A view that the next step changes.
     *  @return float32 weights */
    public Weights weights() {
        return Weights.of(average.map(RunningMean::means).orElse(masters));
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

    Optional<RunningMean> average() {
        return average;
    }

    Optional<CarriedMemories> carried() {
        return carried;
    }

    /** Goes on after a number of steps; masters, moments, means and memories were restored by the caller. */
    void resumeAt(long step) {
        optimizer.resumeAt(step);
        graph.load(Weights.of(masters));
        windows.close();
        windows = new TokenWindows(text, options, step);
    }

    @Override
    public void close() {
        windows.close();
        graph.close();
    }
}
