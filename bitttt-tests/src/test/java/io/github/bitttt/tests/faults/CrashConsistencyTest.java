package io.github.bitttt.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every writer, killed by SIGKILL at random moments: afterwards the folder holds the last state that was said to be written, or
 * the one after it, whole; and the next process says which. {@code -Dbitttt.kills} changes how often.
 */
class CrashConsistencyTest {
    private static final int KILLS = Integer.getInteger("bitttt.kills", 40);
    private static final int LONGEST_MILLIS = 30;
    private static final int ALL = Writer.values().length * EndlessWriters.LANES;

    @TempDir
    private Path folder;

    private int halfWritten;
    private long written;

    @Test
    void everyKillLeavesTheOldStateOrTheNew() throws IOException, InterruptedException {
        SplittableRandom random = new SplittableRandom(7);
        Path states = folder.resolve("states");
        ChildJvm child = new ChildJvm("-XX:TieredStopAtLevel=1", "-Xmx256m");
        Map<String, Integer> known = new HashMap<>();
        for (int kill = 0; kill < KILLS; kill++) {
            Map<String, Integer> said = killAtRandom(child.start(EndlessWriters.class, states.toString(), "1000000"),
                    random,
                    known);
            for (Writer writer : Writer.values()) {
                for (int lane = 0; lane < EndlessWriters.LANES; lane++) {
                    Path mine = EndlessWriters.folder(states, writer, lane);
                    String name = mine.getFileName().toString();
                    int state = writer.read(mine);
                    assertThat(state).as(name + " after kill " + kill).isBetween(said.get(name), said.get(name) + 1);
                    halfWritten += leftOvers(mine).isEmpty() ? 0 : 1;
                    known.put(name, state);
                    forget(mine, "model-" + state);
                }
            }
        }
        child.run(EndlessWriters.class, states.toString(), "1").success();
        assertThat(leftOvers(states)).isEmpty();
        Tally.write("crash-consistency",
                KILLS + " processes killed, and with each " + EndlessWriters.LANES + " threads of each of "
                        + Writer.values().length + " writers: " + KILLS * ALL + " writers killed, " + halfWritten
                        + " in the midst of a write, " + written + " states written, 0 lost or mixed");
        assertThat(halfWritten).isPositive();
    }

    /** Waits until each writer wrote once, then a little; what each said last. */
    private Map<String, Integer> killAtRandom(Process child, SplittableRandom random, Map<String, Integer> known)
            throws IOException, InterruptedException {
        Map<String, Integer> said = new HashMap<>();
        int delay = random.nextInt(LONGEST_MILLIS);
        try (BufferedReader lines = child.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split(" ");
                if (words[0].equals("found")) {
                    assertThat(Integer.parseInt(words[2])).as(line).isEqualTo(known.getOrDefault(words[1], -1));
                } else if (!words[0].equals("WARNING:")) {
                    assertThat(words).as(line).hasSize(2);
                    said.put(words[0], Integer.parseInt(words[1]));
                    written++;
                    if (said.size() == ALL && delay >= 0) {
                        Thread.sleep(delay);
                        delay = -1;
                        // By its handle: the process itself would close the pipe, and with it what is left to read.
                        child.toHandle().destroyForcibly();
                    }
                }
            }
        } finally {
            child.destroyForcibly().waitFor();
        }
        return said;
    }

    private static List<Path> leftOvers(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.getFileName().toString().endsWith(".new")).toList();
        }
    }

    /** Removes all model folders but the newest, so that reading them does not take longer and longer. */
    private static void forget(Path folder, String newest) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                String top = folder.relativize(file).getName(0).toString();
                if (top.startsWith("model-") && !top.equals(newest)) {
                    Files.delete(file);
                }
            }
        }
    }
}
