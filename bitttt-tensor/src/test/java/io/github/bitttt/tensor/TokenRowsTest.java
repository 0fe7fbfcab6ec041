package io.github.bitttt.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rows in blocks against a plain list of rows. */
class TokenRowsTest {
    private static final int COLUMNS = 12;

    private static void append(TokenRows rows, List<float[]> twin, int n, SplittableRandom random) {
        float[] x = new float[n * COLUMNS + 3];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextDouble(-1, 1);
        }
        rows.append(x, 3, n);
        for (int row = 0; row < n; row++) {
            float[] one = new float[COLUMNS];
            System.arraycopy(x, 3 + row * COLUMNS, one, 0, COLUMNS);
            twin.add(one);
        }
    }

    private static void expect(TokenRows rows, List<float[]> twin) {
        float[] all = rows.toArray();
        assertThat(rows.rows()).isEqualTo(twin.size());
        for (int row = 0; row < twin.size(); row++) {
            for (int i = 0; i < COLUMNS; i++) {
                assertThat(all[row * COLUMNS + i]).as("row %d, column %d", row, i).isCloseTo(twin.get(row)[i],
                        offset(1e-6f));
            }
        }
    }

    @ParameterizedTest(name = "keys {0}, {1} in front, {2} rows")
    @CsvSource({"true, 4, 68", "true, 4, 300", "false, 4, 300", "true, 0, 64", "false, 0, 128", "false, 63, 127",
            "true, 63, 192"})
    void blocksAreDroppedBehindTheFirst(boolean keys, int first, int n) {
        SplittableRandom random = new SplittableRandom(n);
        TokenRows rows = new TokenRows(COLUMNS, keys);
        List<float[]> twin = new ArrayList<>();
        append(rows, twin, n, random);
        while (rows.rows() >= first + TokenRows.BLOCK) {
            rows.drop(first);
            twin.subList(first, first + TokenRows.BLOCK).clear();
            expect(rows, twin);
        }
        append(rows, twin, 150, random);
        expect(rows, twin);
        rows.drop(first);
        twin.subList(first, first + TokenRows.BLOCK).clear();
        expect(rows, twin);
    }

    @ParameterizedTest(name = "from row {0}, heads of {1}")
    @CsvSource({"0, 2", "4, 4", "64, 6", "99, 12", "130, 12"})
    void keysAreTurned(int first, int width) {
        SplittableRandom random = new SplittableRandom(width);
        TokenRows rows = new TokenRows(COLUMNS, true);
        List<float[]> twin = new ArrayList<>();
        append(rows, twin, 130, random);
        int half = width / 2;
        float[] cos = new float[half];
        float[] sin = new float[half];
        for (int pair = 0; pair < half; pair++) {
            cos[pair] = (float) Math.cos(pair + 1);
            sin[pair] = (float) Math.sin(pair + 1);
        }
        rows.turn(first, width, cos, sin);
        for (float[] row : twin.subList(first, twin.size())) {
            for (int i = 0; i < COLUMNS; i++) {
                if (i % width < half) {
                    double length = Math.hypot(row[i], row[i + half]);
                    double angle = Math.atan2(row[i + half], row[i]) + i % width + 1;
                    row[i] = (float) (length * Math.cos(angle));
                    row[i + half] = (float) (length * Math.sin(angle));
                }
            }
        }
        expect(rows, twin);
    }

    @Test
    void whatIsNotThereIsNotDropped() {
        TokenRows rows = new TokenRows(COLUMNS, false);
        append(rows, new ArrayList<>(), 67, new SplittableRandom(1));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> rows.drop(4));
        assertThatExceptionOfType(IndexOutOfBoundsException.class).isThrownBy(() -> rows.drop(64));
        assertThatIllegalArgumentException().isThrownBy(() -> rows.turn(0, 4, new float[2], new float[2]))
                .withMessage(
                        "heads of an even width are turned, of keys of 12 columns, got 4 of rows that are no keys");
        TokenRows keys = new TokenRows(COLUMNS, true);
        assertThatIllegalArgumentException().isThrownBy(() -> keys.turn(0, 5, new float[2], new float[2]))
                .withMessage("heads of an even width are turned, of keys of 12 columns, got 5");
    }
}
