package io.github.bitttt.tests;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The arrows between packages: any other import fails. */
class ImportRulesTest {
    private static final String ROOT = "io.github.bitttt.";
    private static final JavaClasses LIBRARY = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages(ROOT + "tensor", ROOT + "nn", ROOT + "llama", ROOT + "train", ROOT + "viz", ROOT + "server",
                    ROOT + "capi", ROOT + "cli", ROOT + "examples");

    /** Package -> what it may import of ours. */
    private static final Map<String, List<String>> ARROWS = Map.ofEntries(
            Map.entry("tensor", List.of("tensor.internal")),
            Map.entry("tensor.internal", List.of("tensor.internal.simd")),
            Map.entry("tensor.internal.simd", List.of("tensor.internal")),
            Map.entry("tensor.nd4j", List.of("tensor")),
            Map.entry("nn", List.of("tensor")),
            Map.entry("nn.naive", List.of("nn", "tensor")),
            Map.entry("nn.cpu", List.of("nn", "tensor")),
            Map.entry("llama", List.of("nn")),
            Map.entry("llama.text", List.of()),
            Map.entry("llama.io", List.of("llama", "nn", "tensor")),
            Map.entry("llama.generate", List.of("llama", "llama.text", "llama.io", "nn", "nn.cpu")),
            Map.entry("llama.measure", List.of("llama.generate", "llama.text", "nn", "nn.cpu")),
            Map.entry("llama.zoo", List.of("llama", "llama.io", "llama.text")),
            Map.entry("train.graph", List.of("nn", "tensor")),
            Map.entry("train", List.of("llama", "llama.text", "llama.io", "nn", "train.graph", "tensor")),
            Map.entry("viz", List.of("llama.generate", "llama.measure", "llama.text", "nn")),
            Map.entry("server", List.of("llama", "llama.generate", "llama.measure", "llama.text", "nn")),
            Map.entry("capi", List.of("llama", "llama.generate", "llama.io", "llama.text", "llama.zoo", "tensor")),
            Map.entry("cli", List.of("tensor", "nn", "nn.naive", "nn.cpu", "llama", "llama.text", "llama.io",
                    "llama.generate", "llama.measure", "llama.zoo", "train", "viz", "server")),
            Map.entry("examples", List.of("nn", "llama", "llama.text", "llama.io", "llama.generate", "llama.measure",
                    "llama.zoo", "train", "viz")));

    static List<String> packages() {
        return ARROWS.keySet().stream().sorted().toList();
    }

    @ParameterizedTest
    @MethodSource("packages")
    void importsOnlyWhatItMay(String name) {
        noClasses().that().resideInAPackage(ROOT + name).should().dependOnClassesThat(notAmong(name))
                .check(LIBRARY);
    }

    private static DescribedPredicate<JavaClass> notAmong(String name) {
        List<String> allowed = ARROWS.get(name).stream().map(ROOT::concat).toList();
        return DescribedPredicate.describe("are ours and not of " + allowed,
                type -> type.getPackageName().startsWith(ROOT)
                        && !type.getPackageName().equals(ROOT + name) && !allowed.contains(type.getPackageName()));
    }

    @Test
    void everyPackageHasItsArrows() {
        noClasses().should().resideOutsideOfPackages(
                ARROWS.keySet().stream().map(ROOT::concat).toArray(String[]::new)).check(LIBRARY);
    }

    @Test
    void nd4jAppearsWhereItTrainsOnly() {
        restrict("tensor.nd4j,train.graph,train,cli,examples", "org.nd4j..", "org.datavec..", "org.deeplearning4j..");
    }

    @Test
    void theVectorModuleAppearsInOnePackageOnly() {
        restrict("tensor.internal.simd", "jdk.incubator.vector..");
    }

    private static void restrict(String homes, String... packages) {
        String[] allowed = Arrays.stream(homes.split(",")).map(ROOT::concat).toArray(String[]::new);
        noClasses().that().resideOutsideOfPackages(allowed).should().dependOnClassesThat()
                .resideInAnyPackage(packages).check(LIBRARY);
    }
}
