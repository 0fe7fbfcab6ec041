package io.github.bitttt.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A memory file that an earlier release wrote is read: of a session of the run folder {@code earlier-run} that had read "One day a cat sat on a
 * mat. The cat saw a dog." Beside it stand the logits of that release after it had read " The dog ran to the cat" as well.
 */
class EarlierMemoryTest {
    private static Path resource(String name) throws URISyntaxException {
        return Path.of(EarlierMemoryTest.class.getResource(name).toURI());
    }

    @Test
    void goesOnWithWhatWasLearned(@TempDir Path folder) throws Exception {
        List<Float> expected = Files.readAllLines(resource("earlier-memory-logits.txt")).stream().map(Float::valueOf)
                .toList();
        try (Model model = Model.load(resource("earlier-run")); Session session = model.newSession()) {
            session.loadMemory(resource("earlier-memory.safetensors"));
            Path again = folder.resolve("again");
            session.saveMemory(again);
            assertThat(again).hasSameBinaryContentAs(resource("earlier-memory.safetensors"));
            float[] found = session.feed(model.tokenizer().encode(" The dog ran to the cat"));
            assertThat(found).hasSize(expected.size());
            for (int i = 0; i < found.length; i++) {
                assertThat(found[i]).as("logit %d", i).isCloseTo(expected.get(i), offset(1e-4f));
            }
            session.reset();
            float[] without = session.feed(model.tokenizer().encode(" The dog ran to the cat"));
            assertThat(Math.abs(without[0] - expected.get(0))).as("the memory counts").isGreaterThan(1e-3f);
        }
    }
}
