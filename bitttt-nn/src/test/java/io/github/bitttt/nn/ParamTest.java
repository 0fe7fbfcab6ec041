package io.github.bitttt.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.List;
import org.junit.jupiter.api.Test;

class ParamTest {
    @Test
    void sizes() {
        Param matrix = Param.ternary("layers.0.ttt.down.weight", 3, 7);
        assertThat(matrix.rows()).isEqualTo(3);
        assertThat(matrix.columns()).isEqualTo(7);
        assertThat(matrix.length()).isEqualTo(21);
        assertThat(matrix.isMatrix()).isTrue();
        assertThat(Param.vector("norm", 5, 1).columns()).isEqualTo(1);
        assertThat(matrix).hasToString("layers.0.ttt.down.weight [3, 7]");
    }

    @Test
    void refusesImpossibleShapes() {
        assertThatIllegalArgumentException().isThrownBy(() -> Param.ternary("a", 0, 7))
                .withMessage("a: every dimension must be at least 1, got shape [0, 7]");
        assertThatIllegalArgumentException().isThrownBy(() -> Param.ternary("a", 1 << 20, 1 << 20))
                .withMessage("a: a parameter has fewer than 2^31 - 64 elements, got shape [1048576, 1048576]");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new Param("a", List.of(4), Param.Kind.TERNARY, new Param.Init.Constant(0)))
                .withMessage("a: TERNARY takes a matrix, got shape [4]");
    }
}
