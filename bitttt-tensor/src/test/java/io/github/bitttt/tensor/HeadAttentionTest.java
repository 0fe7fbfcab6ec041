package io.github.bitttt.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeadAttentionTest {
    private static float[] numbers(int n, Random random) {
        float[] x = new float[n];
        for (int i = 0; i < n; i++) {
            x[i] = (float) (2 * random.nextGaussian());
        }
        return x;
    }

    private static TokenRows rows(float[] of, int columns, boolean keys) {
        TokenRows rows = new TokenRows(columns, keys);
        rows.set(of);
        return rows;
    }

    /** The definition, in double. */
    private static double[] expected(float[] q, int qAt, float[] keys, float[] values, int columns, int head, int d,
            int seen) {
        double[] scores = new double[seen];
        for (int s = 0; s < seen; s++) {
            for (int i = 0; i < d; i++) {
                scores[s] += q[qAt + i] * (double) keys[s * columns + head * d + i] / Math.sqrt(d);
            }
        }
        double most = Arrays.stream(scores).max().orElseThrow();
        double[] answer = new double[d];
        double total = 0;
        for (int s = 0; s < seen; s++) {
            double weight = Math.exp(scores[s] - most);
            total += weight;
            for (int i = 0; i < d; i++) {
                answer[i] += weight * values[s * columns + head * d + i];
            }
        }
        for (int i = 0; i < d; i++) {
            answer[i] /= total;
        }
        return answer;
    }

    @ParameterizedTest(name = "{0} tokens, {1} of them new, {2} heads on {3} of {4}")
    @CsvSource({"1, 1, 1, 1, 2", "3, 3, 2, 1, 6", "64, 1, 4, 2, 16", "65, 1, 4, 4, 10", "130, 70, 6, 3, 34",
            "200, 200, 2, 2, 64", "700, 1, 20, 5, 128", "900, 64, 8, 4, 256", "1025, 2, 4, 1, 66"})
    void answersAreTheSoftmaxOfTheDefinition(int seen, int n, int heads, int keyHeads, int d) {
        Random random = new Random(seen);
        int columns = keyHeads * d;
        float[] keys = numbers(seen * columns, random);
        float[] values = numbers(seen * columns, random);
        float[] queries = numbers(n * heads * d, random);
        float[] answers = new float[n * heads * d];
        HeadAttention attention = new HeadAttention();
        attention.attend(queries, n, heads, rows(keys, columns, true), rows(values, columns, false), keyHeads,
                answers);
        for (int t = 0; t < n; t += Math.max(1, n / 5)) {
            for (int head = 0; head < heads; head++) {
                int at = (t * heads + head) * d;
                double[] expected = expected(queries, at, keys, values, columns, head / (heads / keyHeads), d,
                        seen - n + t + 1);
                for (int i = 0; i < d; i++) {
                    assertThat((double) answers[at + i]).isBetween(expected[i] - 2e-5, expected[i] + 2e-5);
                }
            }
        }
    }

    /** One row after another, on one thread or several, over blocks of tokens or over heads: the same bits. */
    @Test
    void rowsOneByOneAreTheSameToTheBit() {
        Random random = new Random(3);
        int heads = 8;
        int d = 32;
        float[] keys = numbers(300 * 4 * d, random);
        float[] values = numbers(300 * 4 * d, random);
        float[] queries = numbers(300 * heads * d, random);
        float[] whole = new float[300 * heads * d];
        HeadAttention attention = new HeadAttention();
        attention.attend(queries, 300, heads, rows(keys, 4 * d, true), rows(values, 4 * d, false), 4, whole);
        TokenRows grownKeys = new TokenRows(4 * d, true);
        TokenRows grownValues = new TokenRows(4 * d, false);
        float[] one = new float[heads * d];
        for (int t = 0; t < 300; t++) {
            grownKeys.append(keys, t * 4 * d, 1);
            grownValues.append(values, t * 4 * d, 1);
            attention.attend(Arrays.copyOfRange(queries, t * heads * d, (t + 1) * heads * d), 1, heads, grownKeys,
                    grownValues, 4, one);
            assertThat(one).containsExactly(Arrays.copyOfRange(whole, t * heads * d, (t + 1) * heads * d));
        }
        assertThat(grownKeys.toArray()).containsExactly(keys);
        assertThat(grownValues.toArray()).containsExactly(values);
        grownKeys.clear();
        assertThat(grownKeys.toArray()).isEmpty();
    }

    @Test
    void whatDoesNotFitIsRefused() {
        TokenRows keys = rows(new float[8], 4, true);
        HeadAttention attention = new HeadAttention();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> attention.attend(new float[4], 1, 1, keys, rows(new float[4], 4, false), 1,
                        new float[4]))
                .withMessage("keys and values must be of the same tokens and widths, got TokenRows[2, 4], keys"
                        + " and TokenRows[1, 4]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> attention.attend(new float[4], 1, 3, keys, rows(new float[8], 4, false), 2,
                        new float[4]))
                .withMessage("heads of keys must divide the 3 of queries and the 4 columns, got 2");
        assertThatIllegalArgumentException().isThrownBy(() -> keys.set(new float[5]))
                .withMessage("rows have 4 numbers each, got 5");
    }
}
