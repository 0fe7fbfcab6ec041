package io.github.bitttt.tests;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Training never looks behind an array: numbers go in and out through ND4J's own calls, which know whether they live in the
 * memory of the host or of a device. So a step runs on any backend.
 */
class DeviceNeutralTest {
    private static final JavaClasses TRAINING = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.github.bitttt.train.graph", "io.github.bitttt.train",
                    "io.github.bitttt.tensor.nd4j");

    /** {@code NativeEnvironment} speaks to the operating system alone, before ND4J is loaded. */
    @Test
    void noPointersNoBuffersOfTheHost() {
        noClasses().that().doNotHaveSimpleName("NativeEnvironment").should().dependOnClassesThat().resideInAnyPackage(
                "org.bytedeco..", "sun.misc..", "java.lang.foreign..", "org.nd4j.nativeblas..", "org.nd4j.linalg.cpu..",
                "org.nd4j.linalg.jcublas..", "org.nd4j.linalg.api.memory.pointers..").check(TRAINING);
    }

    /** Of a DataBuffer only the two calls that ND4J's CUDA buffers bring up to date on either side. */
    @Test
    void buffersAreSetAndReadAsAWholeOnly() {
        Set<String> used = TRAINING.stream().flatMap(type -> type.getMethodCallsFromSelf().stream())
                .filter(call -> call.getTargetOwner().getName().equals("org.nd4j.linalg.api.buffer.DataBuffer"))
                .map(JavaCall::getName).collect(Collectors.toSet());
        assertThat(used).containsExactlyInAnyOrder("setData", "asFloat");
        noClasses().should().callMethodWhere(DescribedPredicate.describe("an array's address or pointer",
                call -> call.getName().matches(".*([pP]ointer|[aA]ddress|asNio).*")
                        && call.getTargetOwner().getPackageName().startsWith("org.nd4j")))
                .check(TRAINING);
    }
}
