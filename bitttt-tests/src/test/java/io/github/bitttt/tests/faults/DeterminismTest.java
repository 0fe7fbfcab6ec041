package io.github.bitttt.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.train.Trainer;
import io.github.bitttt.train.TrainingOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The same seed and the same kernels give the same, in every process, compiled or not, with however many threads. */
class DeterminismTest {
    private static Map<String, String> run(String tokens, String... flags) throws IOException, InterruptedException {
        return new ChildJvm(flags).run(Repetition.class, tokens).success().lines()
                .filter(line -> !line.startsWith("WARNING"))
                .collect(Collectors.toMap(line -> line.split(" ")[0], line -> line.substring(line.indexOf(' ') + 1),
                        (a, b) -> a,
                        TreeMap::new));
    }

    @Test
    void everyProcessComputesTheSame() throws IOException, InterruptedException {
        Map<String, String> first = run("40", "-XX:ActiveProcessorCount=1");
        assertThat(first.keySet()).containsExactly("bound", "kernels", "logits", "products", "story");
        assertThat(run("40", "-XX:ActiveProcessorCount=8")).isEqualTo(first);
        Map<String, String> interpreted = run("0", "-Xint");
        interpreted.forEach((name, value) -> assertThat(value).as(name).isEqualTo(first.get(name)));
    }

    @Test
    void familiesOfKernelsAgreeOnEverySumOfIntegersAndOnFloatsWithinTheirBound()
            throws IOException, InterruptedException {
        Map<String, String> chosen = run("0");
        List<String> families = new ArrayList<>(List.of("naive", "plain"));
        if (chosen.get("kernels").equals("vector")) {
            families.add("vector");
        }
        for (String family : families) {
            Map<String, String> forced = run("0", "-Dbitttt.kernels=" + family);
            assertThat(forced.get("kernels")).isEqualTo(family);
            assertThat(forced.get("products")).isEqualTo(chosen.get("products"));
            assertThat(Double.parseDouble(forced.get("bound"))).isLessThanOrEqualTo(1);
            assertThat(run("0", "-Dbitttt.kernels=" + family)).isEqualTo(forced);
        }
        Tally.write("determinism",
                "3 processes of one family, one of them not compiled, and " + 2 * families.size() + " of the families "
                        + families
                        + ": 0 digests that differ");
    }

    @Test
    void trainingRepeats() throws InterruptedException {
        BitLlamaConfig config = BitLlamaConfig.of(60, 16, 2, 20);
        assertThat(trained(config)).isEqualTo(trained(config));
    }

    private static List<Integer> trained(BitLlamaConfig config) throws InterruptedException {
        BitLlama model = new BitLlama(config);
        int[] ids = new int[500];
        Arrays.setAll(ids, i -> i * i % 60);
        Weights first = Weights.init(model.params(), 4);
        List<Integer> digests = new ArrayList<>();
        try (Trainer trainer = new Trainer(model, first, ids, TrainingOptions.of(320).withBatch(2, 16))) {
            while (!trainer.done()) {
                digests.add(Double.hashCode(trainer.step().loss()));
            }
            for (Param param : model.params()) {
                digests.add(Arrays.hashCode(trainer.weights().floats(param)));
            }
        }
        return digests;
    }
}
