package io.github.bitttt.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.common.io.Resource;
import org.nd4j.linalg.factory.Environment;
import org.nd4j.linalg.factory.Nd4jBackend;

/** What a user reads where no backend can run: a process with a CUDA backend that finds no GPU, and one without any. */
class BackendTest {
    /** Stands for ND4J's CUDA backend on a machine without a usable GPU: it fails as that one does. */
    public static final class NoGpu extends Nd4jBackend {
        @Override
        public boolean isAvailable() {
            throw new IllegalStateException("No CUDA devices were found in system");
        }

        @Override
        public boolean canRun() {
            return false;
        }

        @Override
        public boolean allowsOrder() {
            return false;
        }

        @Override
        public int getPriority() {
            return BACKEND_PRIORITY_GPU;
        }

        @Override
        public Resource getConfigurationResource() {
            throw new IllegalStateException("a backend that does not run has no configuration");
        }

        @Override
        public Class<?> getNDArrayClass() {
            return Object.class;
        }

        @Override
        public Environment getEnvironment() {
            throw new IllegalStateException("a backend that does not run has no environment");
        }

        @Override
        public String buildInfo() {
            return "none";
        }

        @Override
        public void logBackendInit() {
            // It never gets there.
        }
    }

    /** The process: tries to build a graph, twice, as a program that is asked again would. */
    static final class Child {
        private Child() {
        }

        public static void main(String[] arguments) {
            for (int attempt = 0; attempt < 2; attempt++) {
                try (TrainingGraph graph = TrainingGraph.inference(new BitLlama(BitLlamaConfig.of(8, 8, 1, 8)), 1, 2)) {
                    System.out.println("built " + graph);
                } catch (IllegalStateException e) {
                    System.out.println("message: " + e.getMessage());
                }
            }
        }
    }

    private static String run(Path before) throws Exception {
        String classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !Path.of(entry).getFileName().toString().startsWith("nd4j-native-"))
                .collect(Collectors.joining(File.pathSeparator));
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector", "-Xmx256m", "-cp", before + File.pathSeparator + classPath,
                Child.class.getName()).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).isZero();
        return out;
    }

    @Test
    void withoutAUsableGpuTheMessageSaysWhatRunsAndHowToGoBack(@TempDir Path folder) throws Exception {
        Path services = Files.createDirectories(folder.resolve("META-INF/services"));
        Files.writeString(services.resolve(Nd4jBackend.class.getName()), NoGpu.class.getName() + "\n");
        Path cuda = Files.createDirectories(folder.resolve("org/nd4j/linalg/jcublas"));
        Files.createFile(cuda.resolve("JCublasBackend.class"));
        assertThat(run(folder).lines().filter(line -> line.startsWith("message: "))).hasSize(2).allSatisfy(
                line -> assertThat(line).contains("compute capability 3.7, 5.0, 5.2, 6.0, 6.1, 7.0, 7.5, 8.0 or 8.6",
                        "no PTX", "Hopper", "CUDA 11.6", "to train on the CPU, put nd4j-native on the class path",
                        "leave out -Pcuda"));
    }

    @Test
    void withoutAnyBackendTheMessageNamesOne(@TempDir Path folder) throws Exception {
        assertThat(run(folder).lines().filter(line -> line.startsWith("message: "))).hasSize(2).allSatisfy(
                line -> assertThat(line).contains("ND4J has no backend that runs here: put nd4j-native"));
    }
}
