package io.github.bitttt.cli;

import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.measure.LogWatch;
import io.github.bitttt.llama.text.Excerpt;
import io.github.bitttt.llama.text.GrowingFile;
import io.github.bitttt.llama.text.LogLines;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A log is read while it is written, its forms are learned, and lines that surprise are shown. */
@Command(name = "watch", mixinStandardHelpOptions = true, description = {
        "Read a log while it is written, learn its forms, and show the lines that surprise.",
        "With --json each of them is an object on a line of its own."})
final class Watch implements Callable<Integer> {
    private static final int MAX_SHOWN = 200; // letters of a line
    private static final Duration PAUSE = Duration.ofMillis(200);
    private static final Duration BETWEEN_SAVES = Duration.ofMinutes(1);

    @Parameters(arity = "0..1", paramLabel = "LOG", defaultValue = "-", description = "File that grows and may be rotated; - for standard input (default).")
    private String log;
    @Mixin
    private ModelOption model;
    @Mixin
    private Program program;

    @Option(names = "--share", defaultValue = "0.01", description = "Show a line if not more than this share of the last lines surprise as much (default: ${DEFAULT-VALUE}). 1 shows all.")
    private double share;
    @Option(names = "--window", defaultValue = "1000", description = "The lines that each is compared with (default: ${DEFAULT-VALUE}).")
    private int window;
    @Option(names = "--memory", paramLabel = "FILE", description = "Where what was learned is kept: read at the start if it is there, written each minute and at the end.")
    private Path memory;
    @Option(names = "--new", description = "Leave out what is in the file already.")
    private boolean onlyNew;
    @Option(names = "--once", description = "End where the file ends, instead of waiting for more.")
    private boolean once;
    @Option(names = "--adapt", defaultValue = "standard", paramLabel = "standard|counts|none", description = "The memory that learns; counts and none are there to compare with (default: ${DEFAULT-VALUE}).")
    private String adapt;

    private final Object turn = new Object(); // of whoever uses the session: this thread, or the one that ends the process
    private boolean ended;
    private long shown;
    private long saved = System.nanoTime();

    @Override
    public Integer call() throws Exception {
        if (once && onlyNew) {
            throw new IllegalArgumentException("--once with --new leaves nothing to read; take one of them");
        }
        if (!adapt.equals("none")) {
            OutputMemory.named(adapt);
        }
        LogWatch.check(window, share);
        Program.checkTargets(memory, null);
        try (LogLines lines = new LogLines(open()); Model loaded = model.load(); Session session = session(loaded)) {
            if (memory != null && Files.exists(memory)) {
                session.loadMemory(memory);
            }
            watch(new LogWatch(session, window, share), lines, session);
        }
        return 0;
    }

    private Session session(Model loaded) {
        return adapt.equals("none") ? loaded.newSession() : loaded.newSession(OutputMemory.named(adapt));
    }

    private InputStream open() throws IOException {
        if (log.equals("-")) {
            return System.in;
        }
        return once ? Files.newInputStream(Path.of(log)) : new GrowingFile(Path.of(log), onlyNew, PAUSE);
    }

    private void watch(LogWatch watch, LogLines lines, Session session) throws IOException {
        Thread atEnd = new Thread(() -> end(session), "bitttt-watch-end");
        Runtime.getRuntime().addShutdownHook(atEnd);
        try {
            for (String line; (line = lines.next()) != null;) {
                synchronized (turn) {
                    if (ended) {
                        return;
                    }
                    show(watch.read(line));
                    saveNowAndThen(session);
                }
            }
        } finally {
            end(session);
        }
        Runtime.getRuntime().removeShutdownHook(atEnd);
        program.messages().printf(Locale.ROOT, "%,d of %,d lines shown%n", shown, watch.lines());
        program.messages().flush();
    }

    private void show(LogWatch.Line line) throws IOException {
        if (!line.standsOut()) {
            return;
        }
        shown++;
        if (program.json()) {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("line", line.number());
            object.put("surprise", line.surprise());
            object.put("share", line.share());
            object.put("text", line.text());
            program.result(object);
        } else {
            program.out().printf(Locale.ROOT, "%8d %7.1f  %s%n", line.number(), line.surprise(),
                    Excerpt.of(line.text(), MAX_SHOWN));
            program.out().flush();
            program.checkRead();
        }
    }

    private void saveNowAndThen(Session session) throws IOException {
        if (memory != null && System.nanoTime() - saved > BETWEEN_SAVES.toNanos()) {
            session.saveMemory(memory);
            saved = System.nanoTime();
        }
    }

    /** Saves once; after that no line is read any more. */
    private void end(Session session) {
        synchronized (turn) {
            if (!ended && memory != null) {
                try {
                    session.saveMemory(memory);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
            ended = true;
        }
    }
}
