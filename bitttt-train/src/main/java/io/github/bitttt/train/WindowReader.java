package io.github.bitttt.train;

import java.io.DataInputStream;
import java.net.URI;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import org.datavec.api.conf.Configuration;
import org.datavec.api.records.Record;
import org.datavec.api.records.metadata.RecordMetaData;
import org.datavec.api.records.reader.BaseRecordReader;
import org.datavec.api.split.InputSplit;
import org.datavec.api.writable.NDArrayWritable;
import org.datavec.api.writable.Writable;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A DataVec reader without an end: each record is one window of T + 1 token ids and their weights as targets, the
 * i-th a function of order seed and i only.
 *
 * <p>Record i is the window of stream i mod B at step i / B. A stream reads a stretch of n windows that follow one another
 * (n is the options' carry), then another stretch. Streams begin theirs at different steps, so that each step empties about
 * as many memories as any other. An epoch cuts the text into stretches at a phase of its own and shuffles them. A share of
 * the stretches holds {@linkplain RepeatedPassages passages twice}.
 */
final class WindowReader extends BaseRecordReader {
    private static final long serialVersionUID = 1;

    private final transient TrainingText text;
    private final int batch;
    private final int window;
    private final int carry;
    private final transient RepeatedPassages repeats;
    private final long seed;
    private final int perEpoch;
    private long next;
    private long epoch = -1;
    private int phase;
    private transient int[] order;

    /** Records of a run, from those of a step on. */
    WindowReader(TrainingText text, TrainingOptions options, long step) {
        this.text = text;
        this.batch = options.batch();
        this.window = options.window();
        this.carry = options.carry();
        this.repeats = new RepeatedPassages(options.repeats(), window, options.orderSeed());
        this.seed = options.orderSeed();
        this.next = step * batch;
        int stretch = window * carry;
        // One stretch less than fits, so that every phase below a stretch leaves as many.
        this.perEpoch = Math.max(1, (text.length() - 1) / stretch - 1);
    }

    /** How many windows of its stretch a stream has read before a step. */
    static int position(TrainingOptions options, long step, int stream) {
        return (int) (clock(step, stream, options.batch(), options.carry()) % options.carry());
    }

    /** The step on the stream's own clock: streams begin their stretches evenly spread over the steps of one. */
    private static long clock(long step, int stream, int batch, int carry) {
        return step + (long) stream * carry / batch;
    }

    /** The next window's token ids, then their weights. */
    int[] window() {
        long record = next++;
        int stream = (int) (record % batch);
        long clock = clock(record / batch, stream, batch, carry);
        long index = clock / carry * batch + stream;
        enter(index / perEpoch);
        int start = phase + order[(int) (index % perEpoch)] * window * carry;
        IntUnaryOperator source = repeats.of(index);
        int[] tokens = new int[2 * (window + 1)];
        for (int i = 0; i <= window; i++) {
            int at = (int) (clock % carry) * window + i;
            int position = start + source.applyAsInt(at);
            tokens[i] = text.id(position);
            tokens[window + 1 + i] = text.weight(position);
        }
        return tokens;
    }

    private void enter(long wanted) {
        if (wanted == epoch) {
            return;
        }
        epoch = wanted;
        SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + epoch);
        phase = random.nextInt(text.length() - perEpoch * window * carry);
        order = new int[perEpoch];
        for (int i = 0; i < perEpoch; i++) {
            int j = random.nextInt(i + 1);
            order[i] = order[j];
            order[j] = i;
        }
    }

    @Override
    public List<Writable> next() {
        return List.of(new NDArrayWritable(Nd4j.createFromArray(new int[][]{window()})));
    }

    @Override
    public boolean hasNext() {
        return true;
    }

    @Override
    public void initialize(Configuration configuration, InputSplit split) {
        inputSplit = split;
    }

    @Override
    public List<String> getLabels() {
        return List.of();
    }

    @Override
    public void reset() {
        next = 0;
    }

    @Override
    public boolean resetSupported() {
        return true;
    }

    @Override
    public List<Writable> record(URI uri, DataInputStream stream) {
        throw new UnsupportedOperationException("windows come from token ids in memory, not from " + uri);
    }

    @Override
    public Record nextRecord() {
        return new org.datavec.api.records.impl.Record(next(), null);
    }

    @Override
    public Record loadFromMetaData(RecordMetaData metadata) {
        throw new UnsupportedOperationException("windows carry no metadata");
    }

    @Override
    public List<Record> loadFromMetaData(List<RecordMetaData> metadata) {
        throw new UnsupportedOperationException("windows carry no metadata");
    }

    @Override
    public void close() {
        // Nothing is open.
    }

    @Override
    public void setConf(Configuration configuration) {
        // Nothing to configure.
    }

    @Override
    public Configuration getConf() {
        return new Configuration();
    }
}
