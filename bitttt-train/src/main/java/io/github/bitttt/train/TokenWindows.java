package io.github.bitttt.train;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.deeplearning4j.datasets.datavec.RecordReaderMultiDataSetIterator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Batches of token windows through DataVec, in an order that seed and position alone decide; the next one is made while the
 * present one is trained on. For one thread; close it.
 */
public final class TokenWindows implements AutoCloseable {
    private final int batch;
    private final int window;
    private final RecordReaderMultiDataSetIterator iterator;
    private final ExecutorService worker = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().daemon().name("bitttt-windows").factory());
    private Future<Batch> ahead;

    /**
     * One step's tokens.
     *
     * @param inputs  [B * T], all tokens of the first window first
     * @param targets [B * T], the tokens that follow
     * @param weights [B * T], 1 for targets that count and 0 for others
     */
    public record Batch(int[] inputs, int[] targets, float[] weights) {}

    /** Windows of a text.
     *
     * @param text    more than a window, or all the windows of a stretch
     * @param options batch, window, carry, repeats, order seed
     * @param step    the first step to make batches for */
    public TokenWindows(TrainingText text, TrainingOptions options, long step) {
        long stretch = (long) options.window() * options.carry();
        if (text.length() <= stretch) {
            throw new IllegalArgumentException("a training text needs more than " + stretch + " tokens, "
                    + (options.carry() == 1 ? "one window" : "the windows over which a memory is carried") + ", got "
                    + text.length() + "; give more text or a smaller window");
        }
        batch = options.batch();
        window = options.window();
        WindowReader reader = new WindowReader(text, options, step);
        iterator = new RecordReaderMultiDataSetIterator.Builder(batch).addReader("windows", reader)
                .addInput("windows", 0, 0).build();
        ahead = worker.submit(this::make);
    }

    private Batch make() {
        try (INDArray windows = iterator.next().getFeatures(0); INDArray whole = windows.castTo(DataType.INT32)) {
            int[][] rows = whole.toIntMatrix();
            int[] inputs = new int[batch * window];
            int[] targets = new int[batch * window];
            float[] weights = new float[batch * window];
            for (int b = 0; b < batch; b++) {
                System.arraycopy(rows[b], 0, inputs, b * window, window);
                System.arraycopy(rows[b], 1, targets, b * window, window);
                for (int i = 0; i < window; i++) {
                    weights[b * window + i] = rows[b][window + 2 + i];
                }
            }
            return new Batch(inputs, targets, weights);
        }
    }

    /** The next step's batch.
     *
     * @return B windows
     * @throws InterruptedException if the thread is interrupted while it waits */
    public Batch next() throws InterruptedException {
        try {
            Batch batch = ahead.get();
            ahead = worker.submit(this::make);
            return batch;
        } catch (ExecutionException e) {
            throw new IllegalStateException("the next batch could not be made", e.getCause());
        }
    }

    @Override
    public void close() {
        worker.shutdownNow();
    }
}
