package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.train.StepResult;
import io.github.bitttt.train.TrainingListener;
import io.github.bitttt.train.TrainingOptions;
import io.github.bitttt.train.TrainingRun;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PipelineTest {
    @Test
    void generates() throws Exception {
        try (Model model = Model.load(Zoo.DEFAULT); Session session = model.newSession()) {
            String text = session.generate("Once upon a time").result().text();
            assertTrue(text.length() > 50, text);
        }
    }

    @Test
    void trainsAndRunsWhatItTrained(@TempDir Path folder) throws Exception {
        Tokenizer tokenizer = Zoo.load(Zoo.DEFAULT).tokenizer();
        String text = ("One day a cat sat on a mat. The cat saw a dog.\n" + Tokenizer.END_OF_TEXT + "\n").repeat(30);
        List<Double> losses = new ArrayList<>();
        Path out = folder.resolve("run");
        try (TrainingRun run = TrainingRun.start(out, BitLlamaConfig.of(tokenizer.vocabSize(), 32, 2, 48), tokenizer,
                new TrainingRun.Texts(text, ""), TrainingOptions.of(8 * 64).withBatch(2, 32))) {
            run.run(new TrainingListener() {
                @Override
                public void step(StepResult result) {
                    losses.add(result.loss());
                }
            });
        }
        assertEquals(8, losses.size());
        assertTrue(losses.getLast() < losses.getFirst(), losses.toString());
        try (Session session = Model.load(out).newSession()) {
            assertEquals(2048, session.feed(tokenizer.encode("One day")).length);
        }
    }
}
