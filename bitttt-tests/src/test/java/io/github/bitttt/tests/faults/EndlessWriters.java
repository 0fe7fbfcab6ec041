package io.github.bitttt.tests.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A process that lets every {@link Writer} write for ever, in several threads with a folder each, until it is killed. */
final class EndlessWriters {
    /** Threads of each writer: one kill meets all of them, each somewhere else in its write. */
    static final int LANES = 5;

    private EndlessWriters() {
    }

    /** Where a lane of a writer writes.
     *
     * @param states the folder of all
     * @param writer which
     * @param lane   from 0
     * @return its folder */
    static Path folder(Path states, Writer writer, int lane) {
        return states.resolve(writer + "-" + lane);
    }

    /** Says {@code found NAME state} before a lane's first write, and {@code NAME state} after each.
     *
     * @param arguments the folder, and how many states to write at most
     * @throws IOException if a state cannot be read */
    public static void main(String[] arguments) throws IOException {
        int most = Integer.parseInt(arguments[1]);
        List<Thread> lanes = new ArrayList<>();
        for (Writer writer : Writer.values()) {
            for (int lane = 0; lane < LANES; lane++) {
                Path folder = folder(Path.of(arguments[0]), writer, lane);
                int found = Files.exists(folder) ? writer.read(folder) : -1;
                Files.createDirectories(folder);
                say("found " + folder.getFileName() + " " + found);
                lanes.add(Thread.ofPlatform().unstarted(() -> write(writer, folder, found + 1, most)));
            }
        }
        lanes.forEach(Thread::start);
    }

    private static void write(Writer writer, Path folder, int first, int most) {
        try {
            for (int state = first; state < first + most; state++) {
                writer.write(folder, state);
                say(folder.getFileName() + " " + state);
            }
        } catch (IOException e) {
            say("failed " + folder + " " + e);
            Runtime.getRuntime().halt(1);
        }
    }

    private static synchronized void say(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
