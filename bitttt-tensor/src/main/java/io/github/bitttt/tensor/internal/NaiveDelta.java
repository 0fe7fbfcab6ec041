package io.github.bitttt.tensor.internal;

/** The meaning of a step of the delta rule, sums in double. */
final class NaiveDelta extends HeapDelta {
    NaiveDelta(int heads, int d) {
        super(heads, d);
    }

    @Override
    public void step(int head, float[] keys, int keyOffset, float[] values, int valueOffset, float rate, float decay,
            boolean after, float[] answer, int answerOffset) {
        int first = head * d * d;
        for (int i = 0; i < d; i++) {
            double predicted = 0;
            double before = 0;
            for (int j = 0; j < d; j++) {
                float element = decay * w[first + j * d + i];
                predicted += (double) element * keys[keyOffset + j];
                before += (double) element * values[valueOffset + j];
            }
            double step = rate * (values[valueOffset + i] - predicted);
            double changed = 0;
            for (int j = 0; j < d; j++) {
                int index = first + j * d + i;
                w[index] = (float) ((double) (decay * w[index]) + step * keys[keyOffset + j]);
                changed += (double) w[index] * values[valueOffset + j];
            }
            answer[answerOffset + i] = (float) (after ? changed : before);
        }
    }
}
