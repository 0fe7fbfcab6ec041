package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.FloatKernels;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Memories that are read once and written once for each token. Naive twin: {@code NaiveDelta}; equal to the bit: {@link ScalarFloats}.
 *
 * <p>The update e k^T of a token is known when all of W has been read, so it is written when the next token reads W: what is
 * stored lags by one update, which is kept beside it. What is read after an update is gamma W q + e (k q), by the W before it.
 *
 * <p>Columns of W are contiguous and padded to whole pairs of vectors, so that lanes are rows and nothing is summed across them.
 */
final class DeltaBlocks implements FloatKernels.DeltaWeights {
    private static final VectorSpecies<Float> FLOATS = VectorFloats.FLOATS;
    private static final int LANES = VectorFloats.LANES;

    private final VectorFloats floats;
    private final int heads;
    private final int d; // rows of W
    private final int columns;
    private final int rows; // d, padded
    private final float[] w; // [H, columns, rows]
    // The update that W lacks: W = decay W + error key^T.
    private final float[] errors; // [H, rows]
    private final float[] lastKeys; // [H, columns]
    private final float[] decays; // [H]
    // Where d is not a whole number of pairs.
    private final float[] paddedValues;
    private final float[] paddedAnswer;

    DeltaBlocks(VectorFloats floats, int heads, int d, int columns) {
        this.floats = floats;
        this.heads = heads;
        this.d = d;
        this.columns = columns;
        rows = Math.ceilDiv(d, 2 * LANES) * 2 * LANES;
        w = new float[Math.multiplyExact(Math.multiplyExact(heads, columns), rows)];
        errors = new float[heads * rows];
        lastKeys = new float[heads * columns];
        decays = new float[heads];
        paddedValues = new float[rows];
        paddedAnswer = new float[rows];
        nothingLacks();
    }

    /** Minus zero times zero is minus zero, which changes no number: plus zero would make zeros of minus zeros. */
    private void nothingLacks() {
        Arrays.fill(errors, -0f);
        Arrays.fill(lastKeys, 0);
        Arrays.fill(decays, 1);
    }

    @Override
    public void step(int head, float[] keys, int keyOffset, float[] queries, int queryOffset, float[] values,
            int valueOffset, float rate, float decay, boolean after, float[] answer, int answerOffset) {
        float keyQuery = after ? floats.dot(keys, keyOffset, queries, queryOffset, columns) : 0;
        if (rows == d) {
            read(head, keys, keyOffset, queries, queryOffset, values, valueOffset, rate, decay, keyQuery, answer,
                    answerOffset);
        } else {
            System.arraycopy(values, valueOffset, paddedValues, 0, d);
            read(head, keys, keyOffset, queries, queryOffset, paddedValues, 0, rate, decay, keyQuery, paddedAnswer, 0);
            System.arraycopy(paddedAnswer, 0, answer, answerOffset, d);
        }
        System.arraycopy(keys, keyOffset, lastKeys, head * columns, columns);
        decays[head] = decay;
    }

    private void read(int head, float[] keys, int keyAt, float[] queries, int queryAt, float[] values, int valueAt,
            float rate, float decay, float keyQuery, float[] answer, int answerAt) {
        int at = head * columns * rows;
        int row = 0;
        for (; row + 4 * LANES <= rows; row += 4 * LANES) {
            fourVectors(at + row, head * rows + row, lastKeys, head * columns, decays[head], keys,
                    keyAt, queries, queryAt, values, valueAt, row, rate, decay, keyQuery, answer, answerAt);
        }
        if (row < rows) {
            twoVectors(at + row, head * rows + row, lastKeys, head * columns, decays[head], keys,
                    keyAt, queries, queryAt, values, valueAt, row, rate, decay, keyQuery, answer, answerAt);
        }
    }

    /** As many rows of W as four vectors hold. The errors of the last token go in, those of this one come out. */
    private void fourVectors(int at, int errorAt, float[] oldKeys, int oldKeyAt, float oldDecay, float[] keys,
            int keyAt, float[] queries, int queryAt, float[] values, int valueAt, int row, float rate, float decay,
            float keyQuery, float[] answer, int answerAt) {
        FloatVector e0 = FloatVector.fromArray(FLOATS, errors, errorAt);
        FloatVector e1 = FloatVector.fromArray(FLOATS, errors, errorAt + LANES);
        FloatVector e2 = FloatVector.fromArray(FLOATS, errors, errorAt + 2 * LANES);
        FloatVector e3 = FloatVector.fromArray(FLOATS, errors, errorAt + 3 * LANES);
        FloatVector p0 = FloatVector.zero(FLOATS);
        FloatVector p1 = p0;
        FloatVector p2 = p0;
        FloatVector p3 = p0;
        FloatVector a0 = p0;
        FloatVector a1 = p0;
        FloatVector a2 = p0;
        FloatVector a3 = p0;
        FloatVector fade = FloatVector.broadcast(FLOATS, oldDecay);
        int column = at;
        for (int j = 0; j < columns; j++) {
            FloatVector oldKey = FloatVector.broadcast(FLOATS, oldKeys[oldKeyAt + j]);
            FloatVector key = FloatVector.broadcast(FLOATS, keys[keyAt + j]);
            FloatVector query = FloatVector.broadcast(FLOATS, queries[queryAt + j]);
            FloatVector w0 = e0.fma(oldKey, FloatVector.fromArray(FLOATS, w, column).mul(fade));
            w0.intoArray(w, column);
            p0 = w0.fma(key, p0);
            a0 = w0.fma(query, a0);
            FloatVector w1 = e1.fma(oldKey, FloatVector.fromArray(FLOATS, w, column + LANES).mul(fade));
            w1.intoArray(w, column + LANES);
            p1 = w1.fma(key, p1);
            a1 = w1.fma(query, a1);
            FloatVector w2 = e2.fma(oldKey,
                    FloatVector.fromArray(FLOATS, w, column + 2 * LANES).mul(fade));
            w2.intoArray(w, column + 2 * LANES);
            p2 = w2.fma(key, p2);
            a2 = w2.fma(query, a2);
            FloatVector w3 = e3.fma(oldKey,
                    FloatVector.fromArray(FLOATS, w, column + 3 * LANES).mul(fade));
            w3.intoArray(w, column + 3 * LANES);
            p3 = w3.fma(key, p3);
            a3 = w3.fma(query, a3);
            column += rows;
        }
        e0 = FloatVector.fromArray(FLOATS, values, valueAt + row).sub(p0.mul(decay)).mul(rate);
        e1 = FloatVector.fromArray(FLOATS, values, valueAt + row + LANES).sub(p1.mul(decay)).mul(rate);
        e2 = FloatVector.fromArray(FLOATS, values, valueAt + row + 2 * LANES).sub(p2.mul(decay)).mul(rate);
        e3 = FloatVector.fromArray(FLOATS, values, valueAt + row + 3 * LANES).sub(p3.mul(decay)).mul(rate);
        e0.intoArray(errors, errorAt);
        e1.intoArray(errors, errorAt + LANES);
        e2.intoArray(errors, errorAt + 2 * LANES);
        e3.intoArray(errors, errorAt + 3 * LANES);
        e0.mul(keyQuery).add(a0.mul(decay)).intoArray(answer, answerAt + row);
        e1.mul(keyQuery).add(a1.mul(decay)).intoArray(answer, answerAt + row + LANES);
        e2.mul(keyQuery).add(a2.mul(decay)).intoArray(answer, answerAt + row + 2 * LANES);
        e3.mul(keyQuery).add(a3.mul(decay)).intoArray(answer, answerAt + row + 3 * LANES);
    }

    /** As {@link #fourVectors}, of half as many rows. */
    private void twoVectors(int at, int errorAt, float[] oldKeys, int oldKeyAt, float oldDecay, float[] keys,
            int keyAt, float[] queries, int queryAt, float[] values, int valueAt, int row, float rate, float decay,
            float keyQuery, float[] answer, int answerAt) {
        FloatVector e0 = FloatVector.fromArray(FLOATS, errors, errorAt);
        FloatVector e1 = FloatVector.fromArray(FLOATS, errors, errorAt + LANES);
        FloatVector p0 = FloatVector.zero(FLOATS);
        FloatVector p1 = p0;
        FloatVector a0 = p0;
        FloatVector a1 = p0;
        FloatVector fade = FloatVector.broadcast(FLOATS, oldDecay);
        int column = at;
        for (int j = 0; j < columns; j++) {
            FloatVector oldKey = FloatVector.broadcast(FLOATS, oldKeys[oldKeyAt + j]);
            FloatVector key = FloatVector.broadcast(FLOATS, keys[keyAt + j]);
            FloatVector query = FloatVector.broadcast(FLOATS, queries[queryAt + j]);
            FloatVector w0 = e0.fma(oldKey, FloatVector.fromArray(FLOATS, w, column).mul(fade));
            w0.intoArray(w, column);
            p0 = w0.fma(key, p0);
            a0 = w0.fma(query, a0);
            FloatVector w1 = e1.fma(oldKey, FloatVector.fromArray(FLOATS, w, column + LANES).mul(fade));
            w1.intoArray(w, column + LANES);
            p1 = w1.fma(key, p1);
            a1 = w1.fma(query, a1);
            column += rows;
        }
        e0 = FloatVector.fromArray(FLOATS, values, valueAt + row).sub(p0.mul(decay)).mul(rate);
        e1 = FloatVector.fromArray(FLOATS, values, valueAt + row + LANES).sub(p1.mul(decay)).mul(rate);
        e0.intoArray(errors, errorAt);
        e1.intoArray(errors, errorAt + LANES);
        e0.mul(keyQuery).add(a0.mul(decay)).intoArray(answer, answerAt + row);
        e1.mul(keyQuery).add(a1.mul(decay)).intoArray(answer, answerAt + row + LANES);
    }

    @Override
    public void copyTo(float[] all) {
        for (int head = 0; head < heads; head++) {
            for (int j = 0; j < columns; j++) {
                for (int i = 0; i < d; i++) {
                    all[(head * d + i) * columns + j] = Math.fma(errors[head * rows + i], lastKeys[head * columns + j],
                            w[(head * columns + j) * rows + i] * decays[head]);
                }
            }
        }
    }

    @Override
    public void set(float[] all) {
        nothingLacks();
        for (int head = 0; head < heads; head++) {
            for (int j = 0; j < columns; j++) {
                for (int i = 0; i < d; i++) {
                    w[(head * columns + j) * rows + i] = all[(head * d + i) * columns + j];
                }
            }
        }
    }

    @Override
    public void clear() {
        nothingLacks();
        Arrays.fill(w, 0);
    }
}
