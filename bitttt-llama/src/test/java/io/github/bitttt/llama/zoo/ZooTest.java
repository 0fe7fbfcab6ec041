package io.github.bitttt.llama.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bitttt.llama.generate.GenerationOptions;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.measure.Evaluation;
import io.github.bitttt.llama.measure.Rereading;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class ZooTest {
    @Test
    void theDefaultModelTellsTheSameStoryTwice() throws IOException {
        Model model = Model.load(Zoo.DEFAULT);
        assertThat(story(model)).hasSizeGreaterThan(40).isEqualTo(story(model));
        assertThat(model.toString()).contains("V 2048", "D 256", "4 layers");
    }

    private static String story(Model model) {
        try (Session session = model.newSession()) {
            return session.generate("One day", model.defaults().withSeed(3).withMaxNewTokens(40)).result().text();
        }
    }

    /** Far below ln(2048) = 7.6, which a model without training has. */
    @Test
    void theDefaultModelKnowsStories() throws IOException {
        Evaluation evaluation = Evaluation.of(Model.load(Zoo.DEFAULT),
                "Once upon a time, there was a little girl named Lily. She liked to play in the park with her mom.",
                new Evaluation.Reset.Document());
        assertThat(evaluation.natsPerToken()).isLessThan(2.5);
    }

    /** Five short passages: a second reading is cheaper than a first one after other words. */
    @Test
    void theDefaultModelRemembersWhatItRead() throws IOException {
        Model model = Model.load(Zoo.DEFAULT);
        String text = """
                Lily had a red kite with a long tail. She took it to the hill behind the farm every windy day.
                Ben found an old key under the stairs. It opened a tiny door in the garden wall, and a mouse waved at him.
                The cook lost her spoon in the soup. A clever duck dived in, brought it back, and asked for a cake.
                A snail wanted to see the moon. He climbed the tallest flower, and at night the moon smiled at him.
                """;
        Rereading.Passages passages = Rereading.passages(model, text, 24);
        assertThat(passages.passages()).isGreaterThanOrEqualTo(4);
        assertThat(passages.gain()).isBetween(0.02, 0.9);
        assertThatIllegalArgumentException().isThrownBy(() -> Rereading.passages(model, text, 1000))
                .withMessageContaining("two passages");
    }

    /** What was measured best is what every door begins with. */
    @Test
    void everyModelBringsItsDefaults() throws IOException {
        for (String name : Zoo.names()) {
            try (Model model = Model.load(name)) {
                assertThat(model.defaults()).isEqualTo(GenerationOptions.DEFAULTS.with("eos_token_id", 0));
            }
        }
    }

    @Test
    void everyModelHasACard() {
        for (String name : Zoo.names()) {
            assertThat(Zoo.card(name)).startsWith("# " + name).contains("CDLA-Sharing-1.0", "Samples, unedited");
        }
    }

    @Test
    void anUnknownNameIsAnError() {
        assertThatIOException().isThrownBy(() -> Zoo.load("stories-1x1"))
                .withMessage("stories-1x1: neither a model folder or file nor a name of the zoo; the zoo has "
                        + Zoo.names());
    }
}
