package io.github.bitttt.spark;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The arrows from this module to the others. */
class SparkImportsTest {
    @Test
    void importsOnlyWhatItMay() {
        String[] forbidden = Stream
                .of("tensor..", "train.graph..", "nn.cpu..", "nn.naive..", "llama.zoo..", "examples..", "cli..")
                .map("io.github.bitttt."::concat).toArray(String[]::new);
        noClasses().that().resideInAPackage("io.github.bitttt.spark").should()
                .dependOnClassesThat().resideInAnyPackage(Stream.concat(Arrays.stream(forbidden),
                        Stream.of("org.nd4j..", "org.datavec..", "org.deeplearning4j..")).toArray(String[]::new))
                .check(new ClassFileImporter().withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                        .importPackages("io.github.bitttt.spark"));
    }
}
