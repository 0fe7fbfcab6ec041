package io.github.bitttt.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.llama.io.Safetensors;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A run folder that an earlier release wrote goes on: stopped in its ninth step with a checkpoint after the sixth, micro-batches of 2,
 * memories carried over 3 windows, a running mean, dropout, repeats. Beside it stands the state in which that release ended the run.
 */
class EarlierRunTest {
    private static final String TEXT = ("One day a cat sat on a mat. The cat saw a dog. The dog ran to the cat and they sat.\n"
            + Tokenizer.END_OF_TEXT + "\n").repeat(40);

    private static Path resource(String name) throws URISyntaxException {
        return Path.of(EarlierRunTest.class.getResource(name).toURI());
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file).toString()), StandardCopyOption.REPLACE_EXISTING);
            }
        }
    }

    @Test
    void goesOnToTheSameEnd(@TempDir Path temporary) throws Exception {
        Path folder = temporary.resolve("run");
        copy(resource("earlier-run"), folder);
        try (TrainingRun run = TrainingRun.resume(folder, new TrainingRun.Texts(TEXT, TEXT.substring(0, 2000)))) {
            assertThat(run.trainer().steps()).isEqualTo(6);
            assertThat(run.trainer().options().windows())
                    .isEqualTo(new WindowOptions(4, 2, 16, 3, 0.25, 7));
            run.run(new TrainingListener() {
            });
        }
        Safetensors expected = Safetensors.read(resource("earlier-run-end.safetensors"));
        Safetensors found = Safetensors.read(folder.resolve("training/state.safetensors"));
        assertThat(found.tensors().keySet()).hasSameElementsAs(expected.tensors().keySet());
        double largest = 0;
        for (String name : expected.tensors().keySet()) {
            float[] values = found.get(name).floats();
            float[] ends = expected.get(name).floats();
            for (int i = 0; i < ends.length; i++) {
                largest = Math.max(largest, Math.abs(values[i] - ends[i]));
            }
        }
        // Zero on the processor that wrote it; others sum in another order.
        System.out.println("EARLIER RUN differs by at most " + largest);
        assertThat(largest).isLessThan(1e-4);
        List<String> steps = Files.readAllLines(folder.resolve("training/steps.csv"));
        assertThat(steps).hasSize(13).element(8).asString().startsWith("8,512,5.9960");
    }
}
