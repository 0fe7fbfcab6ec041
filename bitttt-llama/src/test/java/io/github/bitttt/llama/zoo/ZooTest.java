package io.github.bitttt.llama.zoo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.bitttt.llama.generate.Generator;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Sampler;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.measure.Evaluation;
import io.github.bitttt.llama.measure.MemoryEffect;
import java.io.IOException;
import org.junit.jupiter.api.Test;

class ZooTest {
    @Test
    void theDefaultModelTellsTheSameStoryTwice() throws IOException {
        Zoo.Entry entry = Zoo.load(Zoo.DEFAULT);
        Model model = Model.of(entry.checkpoint(), entry.tokenizer());
        assertThat(story(model)).hasSizeGreaterThan(40).isEqualTo(story(model));
        assertThat(model.toString()).contains("V 2048", "D 256", "4 layers");
    }

    private static String story(Model model) {
        StringBuilder text = new StringBuilder();
        try (Session session = model.newSession()) {
            new Generator(session, Sampler.of(0.8, 3)).generate("One day", 40, text::append);
        }
        return text.toString();
    }

    /** Far below ln(2048) = 7.6, which a model without training has. */
    @Test
    void theDefaultModelKnowsStories() throws IOException {
        Zoo.Entry entry = Zoo.load(Zoo.DEFAULT);
        Evaluation evaluation = Evaluation.of(Model.of(entry.checkpoint(), entry.tokenizer()),
                "Once upon a time, there was a little girl named Lily. She liked to play in the park with her mom.",
                new Evaluation.Reset.Document());
        assertThat(evaluation.natsPerToken()).isLessThan(2.5);
    }

    /** Five short passages: a second reading is cheaper than a first one after other words. */
    @Test
    void theDefaultModelRemembersWhatItRead() throws IOException {
        Zoo.Entry entry = Zoo.load(Zoo.DEFAULT);
        Model model = Model.of(entry.checkpoint(), entry.tokenizer());
        String text = """
                Lily had a red kite with a long tail. She took it to the hill behind the farm every windy day.
                Ben found an old key under the stairs. It opened a tiny door in the garden wall, and a mouse waved at him.
                The cook lost her spoon in the soup. A clever duck dived in, brought it back, and asked for a cake.
                A snail wanted to see the moon. He climbed the tallest flower, and at night the moon smiled at him.
                """;
        MemoryEffect.Passages passages = MemoryEffect.passages(model, text, 24);
        assertThat(passages.passages()).isGreaterThanOrEqualTo(4);
        assertThat(passages.gain()).isBetween(0.02, 0.9);
        assertThatIllegalArgumentException().isThrownBy(() -> MemoryEffect.passages(model, text, 1000))
                .withMessageContaining("two passages");
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
                .withMessage("stories-1x1: neither a model folder nor a name of the zoo; the zoo has " + Zoo.names());
    }
}
