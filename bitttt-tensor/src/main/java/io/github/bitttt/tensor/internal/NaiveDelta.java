package io.github.bitttt.tensor.internal;

/** The meaning of a step of the delta rule, sums in double. */
final class NaiveDelta extends HeapDelta {
    NaiveDelta(int heads, int rows, int columns) {
        super(heads, rows, columns);
    }

    @Override
    public void step(int head, float[] keys, int keyOffset, float[] queries, int queryOffset, float[] values,
            int valueOffset, float rate, float decay, boolean after, float[] answer, int answerOffset) {
        int first = head * columns * rows;
        for (int i = 0; i < rows; i++) {
            double predicted = 0;
            double before = 0;
            for (int j = 0; j < columns; j++) {
                float element = decay * w[first + j * rows + i];
                predicted += (double) element * keys[keyOffset + j];
                before += (double) element * queries[queryOffset + j];
            }
            double step = rate * (values[valueOffset + i] - predicted);
            double changed = 0;
            for (int j = 0; j < columns; j++) {
                int index = first + j * rows + i;
                w[index] = (float) ((double) (decay * w[index]) + step * keys[keyOffset + j]);
                changed += (double) w[index] * queries[queryOffset + j];
            }
            answer[answerOffset + i] = (float) (after ? changed : before);
        }
    }
}
