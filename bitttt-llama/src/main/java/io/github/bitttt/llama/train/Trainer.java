package io.github.bitttt.llama.train;

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
    private final int[] ids;
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
        this.model = model;
        this.options = options;
        this.ids = ids;
        model.params().forEach(param -> {
            masters.put(param, start.floats(param).clone());
            gradients.put(param, new float[param.length()]);
        });
        windows = new TokenWindows(ids, options, 0);
        optimizer = new AdamW(model.params(), options.weightDecay(), options.clip());
        graph = TrainingGraph.training(model, options.microBatch(), options.window());
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

    /** Sums the gradients of the micro-batches; their mean loss. */
    private double gradients(TokenWindows.Batch batch) {
        int pieces = options.batch() / options.microBatch();
        int rows = options.microBatch() * options.window();
        carried.ifPresent(this::emptyWhereAStretchBegins);
        double loss = 0;
        for (int piece = 0; piece < pieces; piece++) {
            int number = piece;
            carried.ifPresent(memories -> graph.setMemories(memories.of(number)));
            int[] inputs = Arrays.copyOfRange(batch.inputs(), piece * rows, (piece + 1) * rows);
            int[] targets = Arrays.copyOfRange(batch.targets(), piece * rows, (piece + 1) * rows);
            loss += graph.step(inputs, targets) / pieces;
            carried.ifPresent(memories -> memories.put(number, graph.memories()));
            gradients.sequencedEntrySet().parallelStream()
                    .forEach(entry -> accumulate(entry.getKey(), entry.getValue(), number == 0, 1.0 / pieces));
        }
        return loss;
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
     * @param text its tokens, at least two
     * @return nats per token */
    public double evaluate(int[] text) {
        if (text.length < 2) {
            throw new IllegalArgumentException("a validation text needs at least 2 tokens, got " + text.length);
        }
        average.ifPresent(mean -> graph.load(weights()));
        int streams = options.microBatch();
        double nats = 0;
        for (int from = 0; from < text.length - 1; from += streams * options.carry() * options.window()) {
            CarriedMemories memories = emptyMemories(streams);
            for (int segment = 0; segment < options.carry(); segment++) {
                nats += nats(text, from + segment * options.window(), memories);
            }
        }
        average.ifPresent(mean -> graph.load(Weights.of(masters)));
        return nats / (text.length - 1);
    }

    /** The nats of one pass: a window of each stream, a stretch apart. */
    private double nats(int[] text, int from, CarriedMemories memories) {
        int window = options.window();
        int rows = options.microBatch() * window;
        int[] inputs = new int[rows];
        int[] targets = new int[rows];
        float[] counted = new float[rows];
        int count = 0;
        for (int stream = 0; stream < options.microBatch(); stream++) {
            int start = from + stream * options.carry() * window;
            for (int i = 0; i < Math.min(window, text.length - 1 - start); i++) {
                inputs[stream * window + i] = text[start + i];
                targets[stream * window + i] = text[start + i + 1];
                counted[stream * window + i] = 1;
                count++;
            }
        }
        if (count == 0) {
            return 0;
        }
        if (carried.isPresent()) {
            graph.setMemories(memories.of(0));
        }
        double loss = graph.loss(inputs, targets, counted);
        if (carried.isPresent()) {
            memories.put(0, graph.memories());
        }
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
        windows = new TokenWindows(ids, options, step);
    }

    @Override
    public void close() {
        windows.close();
        graph.close();
    }
}
