package io.github.bitttt.llama.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
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
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

    @Test
    void aLinkStaysALink() throws IOException {
        Path real = Files.writeString(folder.resolve("real"), "old");
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("real"));
        Path chain = Files.createSymbolicLink(folder.resolve("chain"), link);
        AtomicFile.write(chain, "new");
        assertThat(real).hasContent("new");
        assertThat(link).isSymbolicLink();
        assertThat(chain).isSymbolicLink();
        Files.createDirectory(folder.resolve("sub"));
        Path dangling = Files.createSymbolicLink(folder.resolve("dangling"), Path.of("sub/not-yet"));
        AtomicFile.write(dangling, "first");
        assertThat(dangling).isSymbolicLink();
        assertThat(folder.resolve("sub/not-yet")).isRegularFile().hasContent("first");
        Path round = Files.createSymbolicLink(folder.resolve("round"), Path.of("round"));
        refused(round, ": its symbolic links lead nowhere, in more than 40 steps");
    }

    @Test
    void whatWasThereKeepsItsMode() throws IOException {
        for (String mode : List.of("rw-------", "rw-rw-rw-", "rwxr-x---")) {
            Path file = Files.writeString(folder.resolve("secret"), "old");
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
            AtomicFile.write(file, channel -> {
                try (Stream<Path> files = Files.list(folder)) {
                    for (Path path : files.toList()) {
                        assertThat(PosixFilePermissions.fromString(mode))
                                .containsAll(Files.getPosixFilePermissions(path));
                    }
                }
            });
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file))).isEqualTo(mode);
            Files.delete(file);
        }
    }

    @Test
    void whatIsNoFileIsRefusedAndStays() throws Exception {
        Path pipe = folder.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
        refused(pipe, ": is a pipe or a device and would be replaced; name a file");
        assertThat(Files.isRegularFile(pipe)).isFalse();
        Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("/dev/null"));
        refused(link, ": is a pipe or a device and would be replaced; name a file");
        refused(folder, ": is a folder; name a file");
        Path missing = folder.resolve("nodir/x.mem");
        refused(missing, ": the folder " + missing.getParent() + " is not there; make it first");
        Path file = Files.writeString(folder.resolve("file"), "old");
        refused(file.resolve("x"), ": " + file + " is no folder");
    }

    /** The hidden file beside it is nobody's business. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void aFolderThatTakesNoFileIsNamed() {
        Path file = Path.of("/proc/x.mem");
        assertThatExceptionOfType(NoSuchFileException.class).isThrownBy(() -> AtomicFile.write(file, "new"))
                .withMessage("/proc/x.mem: cannot be written in /proc: no such file");
    }

    private static void refused(Path file, String message) {
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> AtomicFile.check(file))
                .withMessage(file + message);
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> AtomicFile.write(file, "new"))
                .withMessage(file + message);
    }

    @ParameterizedTest
    @ValueSource(ints = {60, 100, 230, 255})
    void anyLegalNameIsTaken(int bytes) throws IOException {
        // In locale C or POSIX Java itself takes no name beyond ASCII.
        boolean beyondAscii = Charset.forName(System.getProperty("sun.jnu.encoding")).newEncoder()
                .canEncode("\uD83D\uDE00");
        for (String name : List.of("n".repeat(bytes), beyondAscii ? "\uD83D\uDE00".repeat(bytes / 4) : "m",
                "*[a]\\E b\n" + "c".repeat(bytes - 12))) {
            Path file = folder.resolve(name);
            AtomicFile.write(file, "whole");
            AtomicFile.write(file, "again");
            assertThat(file).hasContent("again");
            Files.delete(file);
        }
        assertThat(names()).isEmpty();
    }

    @Test
    void aNewFolderIsCheckedBeforeTheWork() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "old");
        AtomicFile.checkNewFolder(folder.resolve("a/b/c"));
        for (Path there : List.of(folder, file)) {
            assertThatExceptionOfType(IOException.class).isThrownBy(() -> AtomicFile.checkNewFolder(there))
                    .withMessage(there + ": exists already; choose another folder or remove it first");
        }
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> AtomicFile.checkNewFolder(file.resolve("a/b")))
                .withMessage(file.resolve("a/b") + ": " + file + " is no folder");
    }
}
