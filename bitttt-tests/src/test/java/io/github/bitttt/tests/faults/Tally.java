package io.github.bitttt.tests.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the fault tests counted, a line for each in {@code target/reliability}: the figures of RELIABILITY.md. */
final class Tally {
    private static final Path FOLDER = Path.of("target", "reliability");

    private Tally() {
    }

    static void write(String name, String counts) throws IOException {
        Files.createDirectories(FOLDER);
        Files.writeString(FOLDER.resolve(name + ".txt"), name + ": " + counts + "\n");
        System.out.println(name + ": " + counts);
    }
}
