package io.github.bitttt.llama.adapt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The fast memory against its naive twin. */
class OutputAdapterParityTest {
    // Few successors of a context, so that the table forgets none that the twin's maps keep.
    private static final int FOLLOWERS = 3;

    @ParameterizedTest(name = "V {0}, D {1}, ring of {2} x {3}")
    @CsvSource({"37, 16, 20, 8", "67, 24, 50, 16", "101, 33, 7, 33", "64, 7, 1, 3", "129, 17, 100, 5"})
    void predictsWhatItsNaiveTwinPredicts(int tokens, int width, int keys, int keyWidth) {
        OutputMemory form = new OutputMemory(0.5, 0.1, 1e-3, keys, keyWidth, 16);
        RandomHead head = new RandomHead(tokens, width, 3);
        OutputAdapter fast = new OutputAdapter(form, head);
        NaiveAdaptation naive = new NaiveAdaptation(form, head);
        SplittableRandom random = new SplittableRandom(4);
        float[] hidden = new float[width];
        float[] adapted = new float[width];
        float[] mixture = new float[tokens];
        int token = 0;
        for (int i = 0; i < 150; i++) {
            head.hidden(token, hidden);
            fast.adapt(hidden, 0, adapted);
            fast.predict(head.logits(hidden), head.logits(adapted), 0, mixture);
            double[] expected = naive.predict(hidden);
            for (int word = 0; word < tokens; word++) {
                assertThat((double) mixture[word]).as("token %d, word %d", i, word)
                        .isCloseTo(Math.log(expected[word]), within(2e-3));
            }
            token = (token * 5 + 1 + random.nextInt(FOLLOWERS)) % tokens;
            fast.learn(token);
            naive.learn(token);
        }
    }

    @Test
    void halvesCountsThatPass250AndReplacesTheRarest() {
        SuccessorTable table = new SuccessorTable(4);
        SparseExpert expert = new SparseExpert(SuccessorTable.SUCCESSORS);
        table.find(1);
        for (int i = 0; i < 251; i++) {
            table.learn(7);
        }
        for (int token = 10; token < 18; token++) {
            table.learn(token);
        }
        table.predict(expert);
        assertThat(expert.size).isEqualTo(SuccessorTable.SUCCESSORS);
        assertThat(expert.tokens[expert.likeliest]).isEqualTo(7);
        assertThat(expert.shareOf(7)).isEqualTo(125f / 132);
        assertThat(expert.shareOf(10)).isZero();
        assertThat(expert.shareOf(17)).isEqualTo(1f / 132);
    }
}
