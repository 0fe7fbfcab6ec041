package io.github.bitttt.tests;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.PrintStream;
import java.io.PrintWriter;
import org.junit.jupiter.api.Test;

/** Digits and decimal marks never depend on where a user lives: whatever formats is told its locale. */
class LocaleRulesTest {
    private static final JavaClasses CLASSES = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS).importPackages("io.github.bitttt");

    @Test
    void whatFormatsIsToldItsLocale() {
        for (Class<?> type : new Class<?>[]{PrintStream.class, PrintWriter.class}) {
            for (String method : new String[]{"printf", "format"}) {
                noClasses().should().callMethod(type, method, String.class, Object[].class).check(CLASSES);
            }
        }
        noClasses().should().callMethod(String.class, "format", String.class, Object[].class)
                .orShould().callMethod(String.class, "formatted", Object[].class)
                .orShould().callMethod(String.class, "toLowerCase").orShould().callMethod(String.class, "toUpperCase")
                .check(CLASSES);
    }
}
