package io.github.bitttt.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import jdk.incubator.vector.VectorShape;
import org.junit.jupiter.api.Test;

class KernelChoiceTest {
    /** Prints the choice and multiplies, in a process of its own. */
    static final class Child {
        public static void main(String[] arguments) {
            RoundedRows rows = new RoundedRows(5);
            rows.round(new float[]{1, -1, 0.5f, 0, 1}, 0, 1);
            float[] y = new float[1];
            TernaryMatrix.ofCodes(new byte[]{1, 1, 1, 1, 1}, 1, 5, 127).matVec(rows, 0, y, 0);
            System.out.println(KernelChoice.current() + " gives " + y[0]);
        }
    }

    @Test
    void familiesCanBeForced() {
        assertThat(KernelChoice.choose("naive").kernels().name()).isEqualTo("naive");
        assertThat(KernelChoice.choose("plain").kernels().name()).isEqualTo("plain");
        assertThatIllegalArgumentException().isThrownBy(() -> KernelChoice.choose("fast"))
                .withMessage(
                        "-Dbitttt.kernels must be naive, plain, vector, or one of the vector kernels lut16, lut256 and lut128, got fast");
    }

    @Test
    void theBestIsTakenOnThisMachine() throws Exception {
        int bits = VectorShape.preferredShape().vectorBitSize();
        KernelChoice best = KernelChoice.choose(null);
        assertThat(best).hasToString("vector kernels (vectors of " + bits + " bits)");
        TernaryMatrix matrix = TernaryMatrix.ofCodes(new byte[6], 2, 3, 1);
        KernelChoice.current().awaitReady();
        assertThat(matrix.kernel()).isEqualTo(bits >= 512 ? "lut16" : bits == 256 ? "lut256" : "lut128");
    }

    @Test
    void aVectorKernelCanBeForced() throws Exception {
        assertThat(run(List.of("--add-modules=jdk.incubator.vector", "-Dbitttt.kernels=lut128")))
                .contains("vector kernels (lut128 forced by -Dbitttt.kernels) gives 191.0");
        assertThat(run(List.of("--add-modules=jdk.incubator.vector", "-XX:MaxVectorSize=16", "-Dbitttt.kernels=lut16")))
                .contains("IllegalStateException: vector kernels need vectors of 512 bits, this machine has 128");
    }

    @Test
    void withoutTheModuleOneWarningNamesTheFlag() throws Exception {
        String output = run(List.of());
        assertThat(output).contains("gives 191.0").containsOnlyOnce("WARN")
                .contains("vector kernels are off: add --add-modules jdk.incubator.vector to the java command");
    }

    /** Without a logging provider SLF4J says nothing at all, and a reader would hear of it only by the clock. */
    @Test
    void theWarningIsSeenWithoutALoggingProvider() throws Exception {
        String classes = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(jar -> !jar.contains("slf4j-simple")).collect(Collectors.joining(File.pathSeparator));
        assertThat(run(List.of("-cp", classes))).contains("gives 191.0")
                .containsOnlyOnce("bitttt: WARN vector kernels are "
                        + "off: add --add-modules jdk.incubator.vector to the java command; plain kernels run instead, whose ternary "
                        + "products take up to ten times as long");
        assertThat(run(List.of("-cp", classes, "--add-modules=jdk.incubator.vector"))).doesNotContain("bitttt: WARN");
    }

    @Test
    void aForcedFamilyThatCannotBeHadIsAnError() throws Exception {
        assertThat(run(List.of("-Dbitttt.kernels=vector"))).contains("IllegalStateException: "
                + "vector kernels are off: add --add-modules jdk.incubator.vector to the java command");
    }

    @Test
    void aForcedPlainFamilyWarnsOfNothing() throws Exception {
        assertThat(run(List.of("-Dbitttt.kernels=plain")))
                .contains("plain kernels (forced by -Dbitttt.kernels) gives 191.0")
                .doesNotContain("WARN");
    }

    private static String run(List<String> options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                        System.getProperty("java.class.path")));
        command.addAll(options);
        command.add(Child.class.getName());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        process.waitFor();
        return output;
    }
}
