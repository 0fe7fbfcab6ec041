package io.github.bitttt.llama.io;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
    private static final int THREADS = 4;

    @TempDir
    private Path folder;

    private static void together(List<Callable<Void>> tasks) throws InterruptedException, ExecutionException {
        try (ExecutorService threads = Executors.newFixedThreadPool(tasks.size())) {
            for (Future<Void> done : threads.invokeAll(tasks)) {
                done.get();
            }
        }
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(file -> file.getFileName().toString()).toList();
        }
    }

    @Test
    void writersOfOneFileNeverMix() throws Exception {
        Path file = folder.resolve("shared");
        AtomicFile.write(file, "0".repeat(4096));
        List<Callable<Void>> tasks = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++) {
            byte[] mine = new byte[512];
            Arrays.fill(mine, (byte) ('a' + thread));
            tasks.add(() -> {
                for (int round = 0; round < 50; round++) {
                    AtomicFile.write(file, channel -> {
                        for (int piece = 0; piece < 8; piece++) {
                            channel.write(ByteBuffer.wrap(mine));
                        }
                    });
                    assertThat(Files.readString(file)).matches("(.)\\1{4095}");
                }
                return null;
            });
        }
        together(tasks);
        assertThat(names()).containsExactly("shared");
    }

    @Test
    void saversOfOneFolderNeverMix() throws Exception {
        Path target = folder.resolve("model");
        List<Callable<Void>> tasks = new ArrayList<>();
        List<String> saved = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++) {
            BitLlamaConfig config = BitLlamaConfig.of(20 + thread, 8, 2, 11);
            Checkpoint mine = new Checkpoint(config, Weights.init(new BitLlama(config).params(), thread), Map.of());
            saved.add(mine.fingerprint());
            tasks.add(() -> {
                try {
                    mine.save(target, "{}");
                } catch (IOException e) {
                    assertThat(e).hasMessageContaining(target.toString());
                }
                return null;
            });
        }
        together(tasks);
        assertThat(saved).contains(Checkpoint.load(target).fingerprint());
        assertThat(names()).containsExactly("model");
    }

    @Test
    void whatDeadWritersLeftIsRemoved() throws IOException, InterruptedException {
        Process dead = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-version")
                .redirectErrorStream(true).start();
        dead.getInputStream().readAllBytes();
        dead.waitFor();
        String left = ".a.txt." + dead.pid() + "-7.new";
        String alive = ".a.txt." + ProcessHandle.current().pid() + "-1000000.new";
        for (String name : List.of(left, alive, ".a.txt.x-7.new", ".b.txt." + dead.pid() + "-7.new")) {
            Files.writeString(folder.resolve(name), "half");
        }
        Files.createDirectories(folder.resolve(".m." + dead.pid() + "-1.new"));
        Files.writeString(folder.resolve(".m." + dead.pid() + "-1.new/config.json"), "half");
        AtomicFile.write(folder.resolve("a.txt"), "whole");
        assertThat(names()).contains("a.txt", alive, ".a.txt.x-7.new", ".b.txt." + dead.pid() + "-7.new")
                .doesNotContain(left);
        BitLlamaConfig config = BitLlamaConfig.of(5, 8, 1, 4);
        new Checkpoint(config, Weights.init(new BitLlama(config).params(), 3), Map.of()).save(folder.resolve("m"), "");
        assertThat(names()).contains("m").doesNotContain(".m." + dead.pid() + "-1.new");
    }
}
