package io.github.bitttt.llama.adapt;

import io.github.bitttt.tensor.FloatOps;
import java.util.Arrays;

/**
 * A matrix M [D, D] behind the last norm, a bias of words and a scale, moved by the gradient of the cross entropy.
 *
 * <pre>
 * h' = h + M k                                     k is the key of h, of length 1
 * p  = softmax(scale E h' + bias)                  E is the head, [V, D]
 * r(w) = p(w) / P for the 32 likeliest, else 0     P is their sum
 * M    = M + rate / mean |e|^2 (e(y) - sum r(w) e(w)) k^T
 * bias = bias + biasRate (onehot(y) - r)
 * scale = scale + scaleRate (z(y) - sum r(w) z(w)) z = E h'
 * </pre>
 *
 * <p>Dividing by P matters: without it M grows without bound on foreign text. Elements are limited to +-1e4 after every 1,024 steps, the
 * scale to 0.25 to 4, so nothing ever becomes infinite.
 */
final class ErrorMatrix {
    static final int LIKELIEST = 32;
    static final float MOST = 1e4f;
    static final float MOST_BIAS = 1e3f;
    static final int BETWEEN_LIMITS = 1024; // steps

    private final Head head;
    private final int width;
    private final float step;
    private final float biasRate;
    private final float scaleRate;
    final float[] matrix;
    final float[] bias;
    float scale = 1;
    private final float[] error;
    private final float[] stepKey; // k of the last step, which is made when the matrix is read next
    private boolean owesStep;
    private final HeadCache rows;
    private final int[] likeliest;
    private final float[] probabilities;

    ErrorMatrix(OutputMemory form, Head head) {
        this.head = head;
        width = head.width();
        rows = new HeadCache(head);
        step = (float) (form.rate() / meanSquaredLength());
        biasRate = (float) form.biasRate();
        scaleRate = (float) form.scaleRate();
        matrix = new float[Math.multiplyExact(width, width)];
        bias = new float[head.tokens()];
        error = new float[width];
        stepKey = new float[width];
        likeliest = new int[Math.min(LIKELIEST, head.tokens())];
        probabilities = new float[likeliest.length];
    }

    private double meanSquaredLength() {
        float[] row = new float[width];
        double sum = 0;
        for (int token = 0; token < head.tokens(); token++) {
            head.row(token, row);
            for (float value : row) {
                sum += value * value;
            }
        }
        return Math.max(sum / head.tokens(), 1e-6);
    }

    /** h' = h + M k. */
    void read(float[] hidden, float[] key, float[] adapted) {
        for (int i = 0; i < width; i++) {
            if (owesStep) {
                makeStep(i);
            }
            adapted[i] = FloatOps.dot(matrix, i * width, key, 0, width) + hidden[i];
        }
        owesStep = false;
    }

    private void makeStep(int row) {
        FloatOps.addScaled(step * error[row], stepKey, 0, matrix, row * width, width);
    }

    /** Makes the last step if it is not made yet. */
    private void settle() {
        for (int i = 0; owesStep && i < width; i++) {
            makeStep(i);
        }
        owesStep = false;
    }

    /** One step.
     *
     * @param key    k of the prediction
     * @param logits z = E h', without scale and bias
     * @param p      softmax(scale z + bias)
     * @param token  y
     * @param before steps that were made before */
    void learn(float[] key, float[] logits, float[] p, int token, long before) {
        settle();
        findLikeliest(p);
        float total = 0;
        for (float probability : probabilities) {
            total += probability;
        }
        Arrays.fill(error, 0);
        rows.add(1, token, error);
        double surprise = logits[token];
        for (int rank = 0; rank < likeliest.length; rank++) {
            int word = likeliest[rank];
            float share = probabilities[rank] / total;
            surprise -= share * logits[word];
            bias[word] = Math.max(bias[word] - biasRate * share, -MOST_BIAS);
            rows.add(-share, word, error);
        }
        bias[token] = Math.min(bias[token] + biasRate, MOST_BIAS);
        scale = (float) Math.clamp(scale + scaleRate * Math.clamp(surprise, -20.0, 20.0), 0.25, 4.0);
        System.arraycopy(key, 0, stepKey, 0, width);
        owesStep = true;
        if ((before + 1) % BETWEEN_LIMITS == 0) {
            limit();
        }
    }

    private void limit() {
        settle();
        for (int i = 0; i < matrix.length; i++) {
            matrix[i] = Math.clamp(matrix[i], -MOST, MOST);
        }
    }

    /** The largest probabilities, largest first; of equal ones the smaller id. */
    private void findLikeliest(float[] p) {
        int found = 0;
        int most = likeliest.length;
        float least = -1; // of what is found, once it is full
        for (int token = 0; token < p.length; token++) {
            if (p[token] > least) {
                int at = found < most ? found++ : most - 1;
                while (at > 0 && probabilities[at - 1] < p[token]) {
                    probabilities[at] = probabilities[at - 1];
                    likeliest[at] = likeliest[at - 1];
                    at--;
                }
                probabilities[at] = p[token];
                likeliest[at] = token;
                least = found < most ? -1 : probabilities[most - 1];
            }
        }
    }

    void clear() {
        owesStep = false;
        Arrays.fill(matrix, 0);
        Arrays.fill(bias, 0);
        scale = 1;
    }

    void pass(StatePort port) {
        settle();
        port.floats(matrix, Float.MAX_VALUE);
        port.floats(bias, MOST_BIAS);
        scale = (float) port.number(scale, 0.25, 4);
    }
}
