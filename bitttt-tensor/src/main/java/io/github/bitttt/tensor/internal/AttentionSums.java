package io.github.bitttt.tensor.internal;

import java.util.Arrays;

/**
 * Sums of attention over blocks of 64 tokens, with helpers where it pays. Naive twin: {@code NaiveOps.attend}.
 *
 * <p>Of a block and a head: scores, their maximum, the sum of exp(score - maximum) and the values' sum with those weights. Blocks are joined
 * from the first on: both sums are brought to the larger maximum and added. For one thread.
 */
public final class AttentionSums {
    private static final int BLOCK = FloatKernels.SIDE_BY_SIDE;
    private static final long LARGE = 1 << 19; // multiplications, about ten microseconds of one thread
    private static final int MOST = RowJob.firstRows(1 << 20, 1).length; // slices, whatever the size

    private Job job = new Job();
    private float[] partials = new float[0]; // of one row: for each block the heads' sums, maxima and totals
    private int[] starts = {0};
    private int startsUnit;

    /** Room that grows when it is needed. */
    public AttentionSums() {
        // It comes with the first call.
    }

    /** Answers rows of queries; their sizes are checked by the caller.
     *
     * @param kernels  the float loops
     * @param queries  [n, H d], of the last n tokens
     * @param n        rows
     * @param heads    H
     * @param keys     blocks [G d, 64]
     * @param values   blocks [64, G d]
     * @param keyHeads G
     * @param d        width of a head
     * @param seen     tokens in the blocks
     * @param answers  receives [n, H d] */
    public void attend(FloatKernels kernels, float[] queries, int n, int heads, float[][] keys, float[][] values,
            int keyHeads, int d, int seen, float[] answers) {
        if (!job.isReady(MOST)) {
            job = new Job();
        }
        job.kernels = kernels;
        job.queries = queries;
        job.n = n;
        job.heads = heads;
        job.keys = keys;
        job.values = values;
        job.shared = heads / keyHeads;
        job.columns = keyHeads * d;
        job.d = d;
        job.seen = seen;
        job.byTokens = n == 1 && seen > BLOCK;
        if (job.byTokens) {
            byTokens(heads, d, seen, answers);
        } else if (n > 0) {
            run(2L * n * heads * d * seen >= LARGE, heads * d, d, n, answers);
        }
    }

    private void byTokens(int heads, int d, int seen, float[] answers) {
        int unit = heads * (d + 2);
        int blocks = Math.ceilDiv(seen, BLOCK);
        if (partials.length < (long) blocks * unit) {
            partials = new float[Math.multiplyExact(2 * blocks, unit)];
        }
        run(2L * heads * d * seen >= LARGE, blocks * unit, unit, 1, partials);
        for (int head = 0; head < heads; head++) {
            int at = head * d;
            int maximumAt = heads * d + head;
            System.arraycopy(partials, at, answers, at, d);
            float maximum = partials[maximumAt];
            float total = partials[maximumAt + heads];
            for (int block = unit; block < blocks * unit; block += unit) {
                float both = Math.max(maximum, partials[block + maximumAt]);
                float own = share(maximum, both);
                float others = share(partials[block + maximumAt], both);
                join(answers, at, own, partials, block + at, others, d);
                total = total * own + partials[block + maximumAt + heads] * others;
                maximum = both;
            }
            divide(answers, at, total, d);
        }
    }

    private void run(boolean large, int length, int unit, int n, float[] y) {
        if (starts[starts.length - 1] != length || startsUnit != unit) {
            starts = RowJob.firstRows(length, unit);
            startsUnit = unit;
        }
        job.starts = starts;
        job.unit = unit;
        if (large) {
            job.run(starts, n, y, 0, length);
        } else {
            for (int slice = 0; slice < starts.length - 1; slice++) {
                job.slice(slice, Helper.count(), y, 0, length);
            }
        }
    }

    private static float share(float maximum, float of) {
        return maximum == of ? 1 : (float) Math.exp(maximum - of);
    }

    private static void join(float[] y, int yAt, float own, float[] x, int xAt, float others, int n) {
        for (int i = 0; i < n; i++) {
            y[yAt + i] = y[yAt + i] * own + x[xAt + i] * others;
        }
    }

    private static void divide(float[] y, int at, float total, int n) {
        float factor = 1 / total;
        for (int i = 0; i < n; i++) {
            y[at + i] *= factor;
        }
    }

    /** What a thread works with. */
    private static final class Room {
        final float[] scores = new float[BLOCK];
        float[] sums = new float[0];
        float[] maxima = new float[0];
        float[] totals = new float[0];
    }

    /** Slices are heads of all rows, or blocks of tokens of an only row. */
    private static final class Job extends RowJob {
        private final Room[] rooms = new Room[Helper.count() + 1];
        private FloatKernels kernels = NaiveKernels.INSTANCE.floats();
        private float[] queries = new float[0];
        private int n;
        private int heads;
        private float[][] keys = new float[0][];
        private float[][] values = new float[0][];
        private int shared; // query heads of a key head
        private int columns; // of keys and values
        private int d;
        private int seen;
        private boolean byTokens;
        private int[] starts = {0};
        private int unit;

        Job() {
            super(MOST);
            Arrays.setAll(rooms, _ -> new Room());
        }

        @Override
        void slice(int slice, int worker, float[] y, int yOffset, int yStride) {
            for (int at = starts[slice]; at < starts[slice + 1]; at += unit) {
                if (byTokens) {
                    block(at / unit, rooms[worker], y, yOffset + at);
                } else {
                    head(at / unit, rooms[worker], y, yOffset + at, yStride);
                }
            }
        }

        /** One block of tokens for every head of an only row. */
        private void block(int block, Room room, float[] y, int yAt) {
            for (int head = 0; head < heads; head++) {
                int maximumAt = yAt + heads * d + head;
                y[maximumAt] = weigh(head * d, head, block, Math.min(BLOCK, seen - block * BLOCK), room);
                y[maximumAt + heads] = total(room.scores, Math.min(BLOCK, seen - block * BLOCK));
                sum(head, block, Math.min(BLOCK, seen - block * BLOCK), room, y, yAt + head * d);
            }
        }

        /** One head for every row; a block serves all rows while it is near. */
        private void head(int head, Room room, float[] y, int yAt, int yStride) {
            if (room.maxima.length < n || room.sums.length < d) {
                room.maxima = new float[n];
                room.totals = new float[n];
                room.sums = new float[d];
            }
            for (int block = 0; block * BLOCK < seen; block++) {
                for (int t = Math.max(0, block * BLOCK + n - seen); t < n; t++) {
                    int count = Math.min(BLOCK, seen - n + t + 1 - block * BLOCK);
                    int at = yAt + t * yStride;
                    float maximum = weigh((t * heads + head) * d, head, block, count, room);
                    float total = total(room.scores, count);
                    if (block == 0) {
                        sum(head, block, count, room, y, at);
                        room.maxima[t] = maximum;
                        room.totals[t] = total;
                        continue;
                    }
                    sum(head, block, count, room, room.sums, 0);
                    float both = Math.max(room.maxima[t], maximum);
                    float own = share(room.maxima[t], both);
                    float others = share(maximum, both);
                    join(y, at, own, room.sums, 0, others, d);
                    room.totals[t] = room.totals[t] * own + total * others;
                    room.maxima[t] = both;
                }
            }
            for (int t = 0; t < n; t++) {
                divide(y, yAt + t * yStride, room.totals[t], d);
            }
        }

        /** Makes weights exp(score - maximum) of a block's first tokens, and tells the maximum. */
        private float weigh(int queryAt, int head, int block, int count, Room room) {
            float[] scores = room.scores;
            kernels.besides(queries, queryAt, keys[block], head / shared * d * BLOCK, d, (float) (1 / Math.sqrt(d)),
                    scores);
            float maximum = scores[0];
            for (int s = 1; s < count; s++) {
                maximum = scores[s] > maximum ? scores[s] : maximum;
            }
            kernels.exp(scores, maximum, scores, BLOCK); // whole vectors; what is behind the last token is not looked at
            return maximum;
        }

        private static float total(float[] weights, int count) {
            float even = 0;
            float odd = 0;
            for (int s = 0; s + 2 <= count; s += 2) {
                even += weights[s];
                odd += weights[s + 1];
            }
            return count % 2 == 0 ? even + odd : even + weights[count - 1] + odd;
        }

        private void sum(int head, int block, int count, Room room, float[] y, int yAt) {
            kernels.weightedRows(room.scores, count, values[block], head / shared * d, columns, d, y, yAt);
        }
    }
}
