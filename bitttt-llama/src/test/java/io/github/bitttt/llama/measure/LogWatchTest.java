package io.github.bitttt.llama.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Lines of a log against those before. */
class LogWatchTest {
    private static Model model;

    @BeforeAll
    static void load() throws IOException {
        model = Model.load(Zoo.DEFAULT);
    }

    @AfterAll
    static void close() {
        model.close();
    }

    private static String usual(int i) {
        return String.format(Locale.ROOT, "10:%02d INFO worker-%d finished job %d", i % 60, i % 4, i);
    }

    @Test
    void aStrangeLineStandsOut() {
        try (Session session = model.newSession(OutputMemory.standard())) {
            LogWatch watch = new LogWatch(session, 60, 0.02);
            List<Integer> out = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                String text = i == 80 ? "10:30 ERROR disk 7 is full, data lost" : usual(i);
                LogWatch.Line line = watch.read(text);
                assertThat(line.text()).isEqualTo(text);
                assertThat(line.number()).isEqualTo(i + 1);
                assertThat(line.share()).isBetween(1.0 / 61, 1.0);
                assertThat(line.standsOut()).isEqualTo(line.share() <= 0.02);
                if (line.standsOut()) {
                    out.add(i);
                }
            }
            assertThat(out).contains(80).hasSizeLessThan(8);
            assertThat(out.getFirst()).as("49 lines are needed").isGreaterThanOrEqualTo(49);
            assertThat(watch.lines()).isEqualTo(100);
        }
    }

    /** The same by its definition: every token's surprise one by one, and ranks by sorting. */
    @Test
    void sharesAreRanksAmongTheLastLines() {
        try (Session session = model.newSession(); Session twin = model.newSession()) {
            LogWatch watch = new LogWatch(session, 5, 1);
            List<Double> surprises = new ArrayList<>();
            float[] logits = twin.feed(model.tokenizer().encode("\n")).clone();
            for (int i = 0; i < 12; i++) {
                String text = i == 9 ? "" : usual(i * i);
                int[] ids = model.tokenizer().encodeAsText(text + "\n");
                double cubes = 0;
                for (int id : ids) {
                    cubes += Math.pow(Evaluation.surprise(logits, id), 3);
                    logits = twin.feed(id).clone();
                }
                double surprise = Math.pow(cubes / (ids.length + 4), 1 / 3.0);
                LogWatch.Line line = watch.read(text);
                assertThat(line.surprise()).isCloseTo(surprise, offset(1e-4));
                assertThat(line.tokens()).isEqualTo(ids.length);
                List<Double> before = surprises.subList(Math.max(0, i - 5), i);
                long asMuch = before.stream().filter(other -> other >= line.surprise()).count();
                assertThat(line.share()).isEqualTo((asMuch + 1.0) / (before.size() + 1));
                assertThat(line.standsOut()).isTrue();
                surprises.add(line.surprise());
            }
        }
    }
}
