package io.github.bitttt.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.measure.Evaluation;
import io.github.bitttt.llama.zoo.Samples;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.tensor.TernaryMatrix;
import java.io.IOException;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MastersTest {
    @ParameterizedTest(name = "{0} x {1}, seed 3")
    @CsvSource({"1, 1", "1, 3", "3, 5", "7, 9", "16, 64", "31, 33", "127, 129", "256, 1021"})
    void becomeTheSameCodesAndTheSameScale(int rows, int columns) {
        SplittableRandom random = new SplittableRandom(3);
        for (double share : new double[]{0.02, 0.3, 0.67, 1}) {
            for (int repeat = 0; repeat < 20; repeat++) {
                byte[] codes = new byte[rows * columns];
                int set = 0;
                for (int i = 0; i < codes.length; i++) {
                    codes[i] = (byte) (random.nextDouble() < share ? random.nextBoolean() ? 1 : -1 : 0);
                    set += codes[i] == 0 ? 0 : 1;
                }
                float beta = (float) (1e-3 + random.nextDouble());
                TernaryMatrix made = TernaryMatrix.quantize(Masters.ternary(codes, beta), rows, columns);
                assertThat(made.codes()).isEqualTo(codes);
                if (set > 3 || set == codes.length) {
                    assertThat(made.scale()).isEqualTo(beta);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {Zoo.DEFAULT, Zoo.SEED})
    void aPackedModelIsWhatItsMastersPackTo(String name) throws IOException {
        Checkpoint packed = Zoo.load(name).checkpoint();
        Checkpoint masters = Masters.of(packed);
        assertThat(masters.weights().areMasters()).isTrue();
        assertThat(masters.fingerprint()).isEqualTo(packed.fingerprint());
        Checkpoint again = masters.pack();
        for (Param param : packed.weights().params()) {
            if (packed.weights().get(param) instanceof Weight.Ternary(TernaryMatrix matrix)
                    && again.weights().get(param) instanceof Weight.Ternary(TernaryMatrix made)) {
                assertThat(made.codes()).isEqualTo(matrix.codes());
                assertThat(made.scale()).isEqualTo(matrix.scale());
            }
        }
        assertThat(Masters.of(masters)).isSameAs(masters);
    }

    /** What training begins with is what the packed model is. */
    @Test
    void lossAtTheStartIsThatOfThePackedModel() throws Exception {
        Zoo.Entry entry = Zoo.load(Zoo.DEFAULT);
        String text = Samples.tinyStories().substring(0, 80_000);
        TrainingText tokens = TrainingText.of(entry.tokenizer().encode(text));
        Checkpoint masters = Masters.of(entry.checkpoint());
        double packed = Evaluation.of(Model.of(entry.checkpoint(), entry.tokenizer()), text,
                new Evaluation.Reset.Every(256)).natsPerToken();
        try (Trainer trainer = new Trainer(new BitLlama(masters.config()), masters.weights(), tokens,
                TrainingOptions.of(1).withBatch(2, 256))) {
            double trained = trainer.evaluate(tokens);
            System.out.println("STEP 0 " + trained + ", packed " + packed);
            assertThat(trained).isCloseTo(packed, offset(1e-4));
        }
    }
}
