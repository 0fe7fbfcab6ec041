package io.github.bitttt.tests;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.OriginalCheckpoint;
import io.github.bitttt.nn.cpu.CpuOps;
import io.github.bitttt.nn.naive.Doubles;
import io.github.bitttt.nn.naive.NaiveOps;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A checkpoint of the original Rust trainer, imported, gives the reference's logits. */
class OriginalGoldenTest {
    @Test
    void importedCheckpointGivesTheSameLogits(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("bit_llama_checkpoint.safetensors");
        try (InputStream in = getClass()
                .getResourceAsStream("/golden/original-rust/bit_llama_checkpoint.safetensors")) {
            Files.copy(in, file);
        }
        Checkpoint imported = OriginalCheckpoint.convert(file);
        JsonNode expected = GoldenFixture.json("original-rust", "expected.json");
        int[] ids = StreamSupport.stream(expected.get("token_ids").spliterator(), false).mapToInt(JsonNode::intValue)
                .toArray();
        double[] logits = GoldenFixture.flat(expected.get("logits"));
        BitLlama model = new BitLlama(imported.config());
        Doubles naive = model.forward(new NaiveOps(imported.weights()), model.memories(NaiveOps::empty),
                Doubles.tokens(ids));
        assertThat(GoldenFixture.relativeError(logits, GoldenFixture.flat(naive.rows()))).isLessThan(1e-6);
        CpuOps ops = new CpuOps(imported.weights().freeze(imported.config().quantization().scaleWeights()));
        float[] cpu = model.forward(ops, model.memories(CpuOps::empty), ops.tokens(ids, 0, ids.length)).toArray();
        assertThat(GoldenFixture.relativeError(logits, GoldenFixture.doubles(cpu))).isLessThan(1e-4);
    }
}
