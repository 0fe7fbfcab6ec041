package io.github.bitttt.llama.generate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StopFilterTest {
    @ParameterizedTest
    @CsvSource({"a/b/c, x|y, abc, false", "one EN/D two, END, one , true", "EE/N/D, END, E, true",
            "a/EN, END, aEN, false",
            "abc/abd, abd|cab, ab, true", "xENDyEND, END, x, true"})
    void letsThroughWhatIsBeforeAStop(String pieces, String stops, String shown, boolean stopped) {
        StopFilter filter = new StopFilter(List.of(stops.split("\\|")));
        StringBuilder text = new StringBuilder();
        for (String piece : pieces.split("/")) {
            text.append(filter.next(piece));
            if (filter.stopped()) {
                break;
            }
        }
        text.append(filter.rest());
        assertThat(text.toString().strip()).isEqualTo(shown.strip());
        assertThat(filter.stopped()).isEqualTo(stopped);
    }
}
