import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Assembles target/dist: compiles the C library, makes an archive of classes, puts headers and callers beside them.
 *
 * <p>Run by Maven with the JDK of the build: {@code java Dist.java MODULE}. Without a C compiler it says so and leaves the
 * library out.
 */
final class Dist {
    private static final String SYSTEM = System.getProperty("os.name").toLowerCase();

    /** Java takes an archive for a jar of the very time that it was made for; java.c gives an installed jar this one. */
    private static final FileTime JAR_TIME = FileTime.from(Instant.parse("2026-01-01T00:00:00Z"));

    private final Path module;
    private final Path dist;

    private Dist(Path module) {
        this.module = module;
        this.dist = module.resolve("target").resolve("dist");
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        new Dist(Path.of(arguments[0])).assemble();
    }

    private void assemble() throws IOException, InterruptedException {
        Files.createDirectories(dist);
        Path main = module.resolve("src").resolve("main");
        for (String header : List.of("bitttt.h", "bitttt.hpp")) {
            copy(main.resolve("c").resolve(header), dist.resolve(header));
        }
        for (String callers : List.of("python", "csharp", "node", "examples")) {
            copyTree(main.resolve(callers), dist.resolve(callers));
        }
        licences();
        archive();
        Optional<Path> compiler = Stream.of("cc", "gcc", "clang").flatMap(name -> onPath(name).stream()).findFirst();
        if (compiler.isPresent()) {
            compile(compiler.get());
        } else {
            System.out.println("bitttt-capi: no C compiler (cc, gcc or clang) is on PATH: libbitttt is left out, and its tests");
        }
        Optional<Path> windows = onPath("x86_64-w64-mingw32-gcc");
        if (windows.isPresent()) {
            crossCompile(windows.get());
        } else {
            System.out.println("bitttt-capi: x86_64-w64-mingw32-gcc is not on PATH: bitttt.dll is left out");
        }
        npmPackage();
    }

    /** Whoever is given one of these folders is given its licence. */
    private void licences() throws IOException {
        for (String text : List.of("LICENSE", "NOTICE")) {
            for (String callers : List.of("", "python", "csharp", "node")) {
                copy(module.resolveSibling(text), dist.resolve(callers).resolve(text));
            }
        }
    }

    /** An npm package is a folder: what it runs must be in it. */
    private void npmPackage() throws IOException {
        Path into = Files.createDirectories(dist.resolve("node").resolve("native"));
        for (String file : List.of("bitttt.jar", "bitttt.jsa", "libbitttt.so", "libbitttt.dylib", "bitttt.dll")) {
            if (Files.exists(dist.resolve(file))) {
                copy(dist.resolve(file), into.resolve(file));
            }
        }
    }

    private static Optional<Path> onPath(String program) {
        for (String folder : System.getenv("PATH").split(File.pathSeparator)) {
            Path file = Path.of(folder, program);
            if (Files.isExecutable(file)) {
                return Optional.of(file);
            }
        }
        return Optional.empty();
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
    }

    private static void copyTree(Path from, Path to) throws IOException {
        try (Stream<Path> files = Files.walk(from)) {
            for (Path file : files.filter(path -> !path.toString().contains("__pycache__")).toList()) {
                Path copy = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copy);
                } else {
                    copy(file, copy);
                }
            }
        }
    }

    /** Classes as Java needs them at the start, in a form that it only has to map. Java ignores an archive that is not its own or
     * not of this very jar, so that it does no harm where it does not help. */
    private void archive() throws IOException, InterruptedException {
        Path archive = dist.resolve("bitttt.jsa");
        Files.deleteIfExists(archive);
        Path jar = dist.resolve("bitttt.jar");
        Files.setLastModifiedTime(jar, JAR_TIME);
        // The options that an archive depends on, as java.c gives them.
        run(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-modules=jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Xlog:disable",
                "-XX:ArchiveClassesAtExit=" + archive, "-cp", jar.toString(),
                "io.github.bitttt.capi.Rehearsal"));
    }

    private void compile(Path compiler) throws IOException, InterruptedException {
        boolean mac = SYSTEM.contains("mac");
        List<String> command = command(compiler, "platform_windows.c", mac ? "darwin" : "linux");
        command.addAll(List.of("-fPIC", "-fvisibility=hidden", "-pthread"));
        // A library with a Java in it cannot leave the process again.
        command.addAll(mac ? List.of("-dynamiclib") : List.of("-shared", "-Wl,-z,nodelete", "-Wl,-z,defs"));
        command.addAll(List.of("-o", dist.resolve(mac ? "libbitttt.dylib" : "libbitttt.so").toString()));
        if (!mac) {
            command.add("-ldl");
        }
        run(command);
    }

    private void crossCompile(Path compiler) throws IOException, InterruptedException {
        // The machine-dependent header for Linux suits here as well: x86-64 Windows has one way to call.
        List<String> command = command(compiler, "platform_posix.c", SYSTEM.contains("mac") ? "darwin" : "linux");
        command.addAll(List.of("-DBITTTT_BUILD", "-shared", "-static", "-o", dist.resolve("bitttt.dll").toString(),
                "-lpthread"));
        run(command);
    }

    /** Compiler, flags and sources: all but those of the other platform. */
    private List<String> command(Path compiler, String without, String machine) throws IOException {
        Path headers = Path.of(System.getProperty("java.home")).resolve("include");
        List<String> command = new ArrayList<>(List.of(compiler.toString(), "-std=gnu11", "-O2", "-Wall", "-Wextra",
                "-Werror", "-I" + headers, "-I" + headers.resolve(machine)));
        try (Stream<Path> sources = Files.list(module.resolve("src").resolve("main").resolve("c"))) {
            sources.map(Path::toString).filter(file -> file.endsWith(".c") && !file.endsWith(without)).sorted()
                    .forEach(command::add);
        }
        return command;
    }

    private static void run(List<String> command) throws IOException, InterruptedException {
        int code = new ProcessBuilder(command).inheritIO().start().waitFor();
        if (code != 0) {
            System.err.println("bitttt-capi: failed with " + code + ": " + String.join(" ", command));
            System.exit(1);
        }
    }
}
