package io.github.bitttt.llama.train;

import java.io.DataInputStream;
import java.net.URI;
import java.util.List;
import java.util.SplittableRandom;
import org.datavec.api.conf.Configuration;
import org.datavec.api.records.Record;
import org.datavec.api.records.metadata.RecordMetaData;
import org.datavec.api.records.reader.BaseRecordReader;
import org.datavec.api.split.InputSplit;
import org.datavec.api.writable.NDArrayWritable;
import org.datavec.api.writable.Writable;
import org.nd4j.linalg.factory.Nd4j;

/**
 * A DataVec reader without an end: each record is one window of T + 1 token ids, the i-th a function of seed and i only.
 *
 * <p>An epoch cuts the text into windows at a phase of its own and shuffles them. A share of the windows holds the passage of
 * their first T / 2 tokens twice.
 */
final class WindowReader extends BaseRecordReader {
    private static final long serialVersionUID = 1;

    private final int[] ids;
    private final int window;
    private final double repeats;
    private final long seed;
    private final int perEpoch;
    private long next;
    private long epoch = -1;
    private int phase;
    private transient int[] order;

    WindowReader(int[] ids, int window, double repeats, long seed, long first) {
        this.ids = ids;
        this.window = window;
        this.repeats = repeats;
        this.seed = seed;
        this.next = first;
        // One window less than fits, so that every phase below a window leaves as many.
        this.perEpoch = Math.max(1, (ids.length - 1) / window - 1);
    }

    /** The next window's token ids. */
    int[] window() {
        long index = next++;
        enter(index / perEpoch);
        int start = phase + order[(int) (index % perEpoch)] * window;
        int period = new SplittableRandom(seed ^ ~index).nextDouble() < repeats ? Math.max(1, window / 2) : window + 1;
        int[] tokens = new int[window + 1];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = ids[start + i % period];
        }
        return tokens;
    }

    private void enter(long wanted) {
        if (wanted == epoch) {
            return;
        }
        epoch = wanted;
        SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + epoch);
        phase = random.nextInt(ids.length - perEpoch * window);
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
