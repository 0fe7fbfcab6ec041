package io.github.bitttt.tests;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The arrows between packages, which are the table "Packages and arrows" of ARCHITECTURE.md: any other import fails. */
class ImportRulesTest {
    private static final String ROOT = "io.github.bitttt.";
    /** A row: packages, what is in them, what they may import. */
    private static final Pattern ROW = Pattern.compile("^\\| (`.*?) \\|.*\\| ([^|]*) \\|$", Pattern.MULTILINE);
    private static final Pattern NAME = Pattern.compile("`([a-z0-9.]+)`");
    private static final String ANYTHING = "anything public";

    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS).importPackages("io.github.bitttt");
    private static final Map<String, String> ARROWS = arrows();

    /** Package -> the last cell of its row. */
    private static Map<String, String> arrows() {
        Map<String, String> arrows = new TreeMap<>();
        try {
            String page = Files.readString(Path.of("..", "ARCHITECTURE.md"));
            String section = page.substring(page.indexOf("## Packages and arrows"));
            Matcher rows = ROW.matcher(section.substring(0, section.indexOf("\n## ", 1)));
            while (rows.find()) {
                for (String name : names(rows.group(1))) {
                    arrows.put(name, rows.group(2));
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException("ARCHITECTURE.md cannot be read", e);
        }
        return arrows;
    }

    private static List<String> names(String cell) {
        return NAME.matcher(cell).results().map((MatchResult found) -> found.group(1)).toList();
    }

    static List<String> packages() {
        return List.copyOf(ARROWS.keySet());
    }

    @ParameterizedTest
    @MethodSource("packages")
    void importsOnlyWhatItMay(String name) {
        noClasses().that().resideInAPackage(ROOT + name).should().dependOnClassesThat(notAllowedIn(name))
                .check(CLASSES);
    }

    private static DescribedPredicate<JavaClass> notAllowedIn(String name) {
        String cell = ARROWS.get(name);
        List<String> allowed = names(cell).stream().map(ROOT::concat).toList();
        return DescribedPredicate.describe("are ours and not " + cell,
                type -> type.getPackageName().startsWith(ROOT) && !type.getPackageName().equals(ROOT + name)
                        && (cell.equals(ANYTHING) ? isInternal(type) : !allowed.contains(type.getPackageName())));
    }

    private static boolean isInternal(JavaClass type) {
        return type.getPackageName().contains(".internal");
    }

    @Test
    void everyPackageHasItsArrowsAndEveryArrowItsPackage() {
        assertThat(CLASSES.stream().map(type -> type.getPackageName().substring(ROOT.length())).distinct().sorted())
                .isEqualTo(packages());
    }

    @Test
    void noLibraryImportsProgramsOrExamples() {
        noClasses().that().resideOutsideOfPackages(ROOT + "cli..", ROOT + "examples..").should().dependOnClassesThat()
                .resideInAnyPackage(ROOT + "cli..", ROOT + "examples..", ROOT + "spark.example..").check(CLASSES
                        .that(DescribedPredicate.describe("outside of programs", type -> !type.getPackageName()
                                .equals(ROOT + "spark.example"))));
    }

    @Test
    void noCircleStandsBetweenPackages() {
        slices().matching("io.github.bitttt.(**)").should().beFreeOfCycles().check(CLASSES);
    }

    @Test
    void nd4jAppearsWhereItTrainsOnly() {
        restrict("tensor.nd4j,train.graph,train,cli,examples", "org.nd4j..", "org.datavec..", "org.deeplearning4j..");
    }

    @Test
    void theVectorModuleAppearsInOnePackageOnly() {
        restrict("tensor.internal.simd", "jdk.incubator.vector..");
    }

    @Test
    void aNetworkIsAskedInOnePackageAndByOneProgramOnly() {
        noClasses().that().resideOutsideOfPackages(ROOT + "llama.hub", ROOT + "examples").should().dependOnClassesThat()
                .resideInAnyPackage("java.net.http..").orShould()
                .dependOnClassesThat().haveFullyQualifiedName("java.net.Socket").check(CLASSES);
        noClasses().that().resideOutsideOfPackage(ROOT + "llama.hub").and()
                .haveNameNotMatching(".*\\.cli\\.PullProgram(\\$.*)?").should().dependOnClassesThat()
                .haveFullyQualifiedName(ROOT + "llama.hub.Pull").check(CLASSES);
    }

    private static void restrict(String homes, String... packages) {
        String[] allowed = Arrays.stream(homes.split(",")).map(ROOT::concat).toArray(String[]::new);
        noClasses().that().resideOutsideOfPackages(allowed).should().dependOnClassesThat()
                .resideInAnyPackage(packages).check(CLASSES);
    }
}
