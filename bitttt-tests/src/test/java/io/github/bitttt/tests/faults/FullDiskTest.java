package io.github.bitttt.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A disk that is full, in a mount namespace of the child's own; that a failing channel loses nothing is AtomicFileTest's. */
class FullDiskTest {
    @TempDir
    private Path folder;

    @Test
    void aFullDiskLosesNothing() throws IOException, InterruptedException {
        String[] mount = {"unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=1m none \"$0\" && exec \"$@\"",
                folder.toString()};
        assumeTrue(
                ChildJvm.works("unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=1m none \"$0\"",
                        folder.toString()),
                "this system lets nobody mount a small disk in a namespace");
        String output = new ChildJvm("-Xmx256m", "-XX:TieredStopAtLevel=1").within(mount)
                .run(FullDisk.class, folder.toString())
                .success();
        long refused = output.lines().filter(line -> line.startsWith("full ")).count();
        assertThat(output).endsWith("whole\n");
        assertThat(output.lines().filter(line -> line.startsWith("full "))).isNotEmpty()
                .allMatch(line -> line.endsWith("No space left on device"));
        Tally.write("full-disk", refused + " writes failed on a full disk of 1 MB, 0 states lost");
    }
}
