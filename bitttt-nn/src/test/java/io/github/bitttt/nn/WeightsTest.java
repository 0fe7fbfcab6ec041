package io.github.bitttt.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;

class WeightsTest {
    private static final Param PROJECTION = Param.ternary("down", 3, 5);
    private static final Param ROWS = new Param("embed", List.of(4, 5), Param.Kind.ROWS, new Param.Init.Normal(1));
    private static final Param GAIN = Param.vector("gain", 5, 1);
    private static final List<Param> PARAMS = List.of(PROJECTION, ROWS, GAIN);

    @Test
    void firstValuesDependOnSeedAndPathOnly() {
        Weights weights = Weights.init(PARAMS, 7);
        assertThat(weights.floats(ROWS)).containsExactly(Weights.init(List.of(ROWS), 7).floats(ROWS));
        assertThat(weights.floats(ROWS)).isNotEqualTo(Weights.init(PARAMS, 8).floats(ROWS));
        assertThat(weights.floats(GAIN)).containsOnly(1f);
        assertThat(weights.areMasters()).isTrue();
        assertThat(weights.parameters()).isEqualTo(15 + 20 + 5);
    }

    @Test
    void spreadValuesAreEvenlySpaced() {
        Param three = new Param("decays", List.of(3), Param.Kind.FLOAT, new Param.Init.Spread(4, 9));
        Param one = new Param("decay", List.of(1), Param.Kind.FLOAT, new Param.Init.Spread(4, 9));
        Weights weights = Weights.init(List.of(three, one), 7);
        assertThat(weights.floats(three)).containsExactly(4f, 6.5f, 9f);
        assertThat(weights.floats(one)).containsExactly(6.5f);
    }

    @Test
    void packedFormsAreExact() {
        Weights packed = Weights.init(PARAMS, 7).pack(true);
        assertThat(packed.get(PROJECTION)).isInstanceOf(Weight.Ternary.class);
        assertThat(packed.get(GAIN)).isInstanceOf(Weight.Floats.class);
        assertThat(packed.areMasters()).isFalse();
        float[] rows = Weights.init(PARAMS, 7).floats(ROWS);
        Weight.Int8Rows int8 = (Weight.Int8Rows) packed.get(ROWS);
        for (int i = 0; i < rows.length; i++) {
            assertThat(int8.matrix().codes()[i] * int8.matrix().scales()[i / 5]).isCloseTo(rows[i],
                    org.assertj.core.data.Offset.offset(int8.matrix().scales()[i / 5] * 0.5001f));
        }
        assertThat(packed.pack(true).get(ROWS)).isSameAs(packed.get(ROWS));
    }

    @Test
    void rowsOfZerosStayZeros() {
        SequencedMap<Param, Weight> zeros = new LinkedHashMap<>(Map.of(ROWS, new Weight.Floats(new float[20])));
        Weight.Int8Rows int8 = (Weight.Int8Rows) new Weights(zeros).pack(true).get(ROWS);
        assertThat(int8.matrix().codes()).containsOnly(0);
        assertThat(int8.matrix().scales()).containsOnly(0f);
    }

    @Test
    void withoutScaleTheProductsScaleIsOne() {
        Weights bare = Weights.init(PARAMS, 7).freeze(false);
        assertThat(((Weight.Ternary) bare.get(PROJECTION)).matrix().scale()).isEqualTo(1f);
        assertThat(bare.get(ROWS)).isInstanceOf(Weight.Floats.class);
    }

    @Test
    void refusesWhatDoesNotFit() {
        SequencedMap<Param, Weight> wrong = new LinkedHashMap<>(Map.of(GAIN, new Weight.Floats(new float[4])));
        assertThatIllegalArgumentException().isThrownBy(() -> new Weights(wrong))
                .withMessage("gain [5]: takes 5 values, got 4");
        assertThatIllegalArgumentException().isThrownBy(() -> Weights.init(List.of(GAIN), 1).get(ROWS))
                .withMessage("no weight embed [4, 5]; there are 1 parameters");
        assertThatIllegalArgumentException().isThrownBy(() -> Weights.init(PARAMS, 7).pack(true).floats(PROJECTION))
                .withMessage("down [3, 5]: is held as codes; load the master checkpoint for float values");
    }
}
