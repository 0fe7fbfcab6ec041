package io.github.bitttt.tests.faults;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.github.bitttt.cli.Main;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What comes with bitttt: no class twice, no word over the network, no files left behind, no archive unpacked. */
class SupplyChainTest {
    /** Programs as a user calls them; MODEL, OUT and the like are below the test's own folder. */
    private static final List<String> PROGRAMS = List.of("generate --tokens 5 --save-memory OUT/memory",
            "generate --tokens 5 --load-memory OUT/memory", "inspect",
            "train --out OUT/run --tokens 128 --width 16 --layers 1 --batch 2 --window 32 --vocabulary 300",
            "pack --model OUT/run"
                    + " --out OUT/packed",
            "evaluate --model OUT/packed --data OUT/text");

    @TempDir
    private Path folder;

    private static List<String> jars() {
        return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(path -> path.endsWith(".jar")).sorted().toList();
    }

    @Test
    void noClassIsThereTwice() throws IOException {
        Map<String, List<String>> homes = new TreeMap<>();
        for (String path : jars()) {
            try (JarFile jar = new JarFile(path)) {
                jar.stream().map(JarEntry::getName).filter(name -> name.endsWith(".class"))
                        .filter(name -> !name.startsWith("META-INF/") && !name.equals("module-info.class"))
                        .forEach(name -> homes.computeIfAbsent(name, _ -> new ArrayList<>())
                                .add(Path.of(path).getFileName().toString()));
            }
        }
        Set<String> twins = new TreeSet<>();
        homes.values().stream().filter(jars -> jars.size() > 1).forEach(jars -> twins.add(String.join(" and ", jars)));
        assertThat(homes).hasSizeGreaterThan(10_000);
        assertThat(twins).isEmpty();
    }

    @Test
    void noVersionIsASnapshot() {
        assertThat(jars()).isNotEmpty().noneMatch(jar -> jar.contains("SNAPSHOT"));
    }

    /** docs/dependencies.md has the reasons; config/known-vulnerable.xml stops the build at older ones. */
    @Test
    void whatIsNeverLoadedIsNotThere() throws IOException {
        assertThat(jars()).noneMatch(jar -> jar.matches(".*/(commons-net|freemarker|joda-time)-[^/]*"));
        assertThat(Files.readString(Path.of("..", "config", "known-vulnerable.xml"))).contains("commons-compress:(,",
                "commons-io:(,", "commons-net:(,", "freemarker:(,", "joda-time:(,", "protobuf-java:(,");
    }

    @Test
    void eachModuleCarriesItsLicence() {
        for (String module : List.of("tensor", "nn", "llama", "train", "viz", "server", "cli")) {
            assertThat(Path.of("..", "bitttt-" + module, "target", "classes", "META-INF")).isDirectoryContaining(
                    "glob:**/LICENSE").isDirectoryContaining("glob:**/NOTICE");
        }
    }

    @Test
    void noArchiveIsUnpacked() {
        noClasses().should().dependOnClassesThat().resideInAnyPackage("java.util.zip", "java.util.jar",
                "org.apache.commons.compress..").because("what is not unpacked cannot leave its folder").check(
                        new ClassFileImporter().withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                                .importPackages("io.github.bitttt.tensor", "io.github.bitttt.nn",
                                        "io.github.bitttt.llama"));
    }

    private String[] arguments(String program) {
        return program.replace("OUT", folder.toString()).split(" ");
    }

    private ChildJvm child() throws IOException {
        for (String name : List.of("tmp", "home")) {
            Files.createDirectories(folder.resolve(name));
        }
        return new ChildJvm("-Xmx1g", "-Djava.io.tmpdir=" + folder.resolve("tmp"),
                "-Duser.home=" + folder.resolve("home"),
                "-Dorg.bytedeco.javacpp.cachedir=" + folder.resolve("home/javacpp"), "-DDJL_CACHE_DIR="
                        + folder.resolve("home/djl"),
                "-XX:-UsePerfData");
    }

    @Test
    void programsRunWithoutANetworkAndLeaveNothingBehind() throws IOException, InterruptedException {
        Files.writeString(folder.resolve("text"), "One day a cat sat on a mat.");
        boolean cutOff = ChildJvm.works("unshare", "-rn", "true");
        boolean traced = ChildJvm.works("strace", "-f", "-o", folder.resolve("trace").toString(), "true");
        assumeTrue(cutOff || traced, "this system has neither a namespace without a network nor strace");
        for (String program : PROGRAMS) {
            run(program, cutOff, traced);
        }
        List<Path> caches = files(folder.resolve("home"));
        assertThat(caches).as("caches of native libraries, and Java's own of fonts").isNotEmpty()
                .allMatch(path -> path.toString().matches("(javacpp|djl|\\.java)/.*"));
        run(PROGRAMS.getFirst(), cutOff, traced);
        assertThat(files(folder.resolve("home"))).as("caches after a second start").isEqualTo(caches);
        Tally.write("supply-chain",
                jars().size() + " jars, 0 classes twice, 0 snapshots; " + PROGRAMS.size() + " programs "
                        + (cutOff ? "without a network" : "with a network") + ", " + (traced ? "0" : "uncounted")
                        + " attempts to connect, 0 temporary files left");
    }

    private void run(String program, boolean cutOff, boolean traced) throws IOException, InterruptedException {
        ChildJvm child = child();
        Path trace = folder.resolve("trace");
        if (traced) {
            child.within("strace", "-f", "--seccomp-bpf", "-e", "trace=connect,sendto", "-o", trace.toString());
        }
        if (cutOff) {
            child.within("unshare", "-rn");
        }
        child.run(Main.class, arguments(program)).success();
        if (traced) {
            assertThat(Files.readAllLines(trace)).as(program).noneMatch(line -> line.contains("AF_INET"));
        }
        assertThat(files(folder.resolve("tmp"))).as(program).isEmpty();
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).map(folder::relativize).sorted(Comparator.naturalOrder())
                    .toList();
        }
    }
}
