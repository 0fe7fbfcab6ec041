package io.github.bitttt.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.io.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Prepares a Jupyter kernel that has this library on its class path. */
@Command(name = "notebook", mixinStandardHelpOptions = true, description = "Prepare a Jupyter kernel for notebooks with this library.")
final class Notebook implements Callable<Integer> {
    /** The kernel's name, which the notebooks bear. */
    static final String NAME = "bitttt";
    /** Everything in one jar, as the build's profile notebook makes it. */
    static final String BUNDLE = "bitttt-notebook.jar";

    /** The Java kernels of Jupyter, and how each is told its class path and its compiler's options. */
    enum Kernel {
        /** {@code io.github.padreati:rapaio-jupyter-kernel}. */
        RAPAIO("RJK_CLASSPATH", "RJK_COMPILER_OPTIONS", List.of()),
        /** {@code dflib/jjava}. */
        JJAVA("JJAVA_CLASSPATH", "JJAVA_COMPILER_OPTS", List.of("--add-opens=jdk.jshell/jdk.jshell=ALL-UNNAMED")),
        /** {@code SpencerPark/IJava}. */
        IJAVA("IJAVA_CLASSPATH", "IJAVA_COMPILER_OPTS", List.of());

        private final String classPath;
        private final String compilerOptions;
        private final List<String> flags;

        Kernel(String classPath, String compilerOptions, List<String> flags) {
            this.classPath = classPath;
            this.compilerOptions = compilerOptions;
            this.flags = flags;
        }
    }

    private static final String VECTORS = "--add-modules=jdk.incubator.vector";
    private static final List<String> FLAGS = List.of(VECTORS, "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow", "-Djdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK=0",
            "-Djava.awt.headless=true", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
            "-Dorg.bytedeco.javacpp.maxbytes=4g", "-Dorg.bytedeco.javacpp.maxphysicalbytes=8g");

    @Mixin
    private Program program;

    @Option(names = "--kernel", defaultValue = "rapaio", description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Kernel kernel;
    @Option(names = "--kernel-jar", paramLabel = "FILE", description = "The kernel's own jar (default for rapaio: the one that the build fetched).")
    private Path kernelJar;
    @Option(names = "--folder", required = true, paramLabel = "DIR", description = "Where the bundle lies and the kernel goes; ./bitttt knows it.")
    private Path folder;

    @Override
    public Integer call() throws IOException {
        Path bundle = existing(folder.resolve(BUNDLE), "the bundle is made by ./bitttt notebook");
        Path jar = kernelJar == null ? fetched() : existing(kernelJar, "get it from the kernel's release page");
        Path spec = Files.createDirectories(folder.resolve("kernels").resolve(NAME)).toAbsolutePath();
        Path file = spec.resolve("kernel.json");
        AtomicFile.write(file,
                specification(kernel, jar.toAbsolutePath(), bundle.toAbsolutePath()).toPrettyString());
        program.messages()
                .println("kernel " + NAME + " (" + kernel.name().toLowerCase(Locale.ROOT) + "): " + file);
        program.messages().println("install it:      jupyter kernelspec install --user --name " + NAME + " " + spec);
        program.messages().println("start:           jupyter lab bitttt-examples/notebooks");
        program.messages().println("without install: JUPYTER_PATH=" + folder.toAbsolutePath()
                + " jupyter lab bitttt-examples/notebooks");
        program.result(Map.of("kernel", file.toString(), "bundle", bundle.toAbsolutePath().toString(), "bundle_bytes",
                Files.size(bundle)));
        return 0;
    }

    private Path fetched() throws IOException {
        if (kernel != Kernel.RAPAIO) {
            throw new IllegalArgumentException(
                    "--kernel-jar is needed for " + kernel.name().toLowerCase(Locale.ROOT)
                            + ": its jar is on its release page, not on Maven Central");
        }
        return existing(folder.resolve("rapaio-jupyter-kernel.jar"), "it is fetched by ./bitttt notebook");
    }

    private static Path existing(Path file, String remedy) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new IOException(file + ": no such file; " + remedy);
        }
        return file;
    }

    /** The contents of {@code kernel.json}. */
    static ObjectNode specification(Kernel kernel, Path kernelJar, Path bundle) {
        ObjectNode root = new ObjectMapper().createObjectNode();
        var command = root.putArray("argv");
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        FLAGS.forEach(command::add);
        kernel.flags.forEach(command::add);
        command.add("-jar").add(kernelJar.toString()).add("{connection_file}");
        root.put("display_name", "Java with bitttt").put("language", "java").put("interrupt_mode", "message");
        root.putObject("env").put(kernel.classPath, bundle.toString()).put(kernel.compilerOptions, VECTORS)
                .put("OMP_WAIT_POLICY", "PASSIVE").put("LC_CTYPE", "C.UTF-8"); // containers have no locale: paths would be ASCII
        return root;
    }
}
