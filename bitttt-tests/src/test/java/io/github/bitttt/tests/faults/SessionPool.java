package io.github.bitttt.tests.faults;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Sessions and memory files that many threads use at random, each with the history that it must know: what it was fed, in which
 * pieces, wherever the memory has been since. In the end every history is read alone and must give the same, bit for bit.
 */
final class SessionPool {
    private static final int PLACES = 24;
    private static final int LONGEST = 40; // pieces of a history
    private static final int VOCABULARY = 300;

    private final Model model;
    private final Path folder;
    private final Place[] places = new Place[PLACES];
    private final AtomicInteger files = new AtomicInteger();
    private final TreeMap<String, Integer> counts = new TreeMap<>();

    /** A session and a file, of which one thread at a time has hold. */
    private static final class Place {
        private Session session;
        private List<int[]> known = new ArrayList<>();
        private Path file;
        private List<int[]> saved = List.of();
    }

    SessionPool(Model model, Path folder) throws IOException {
        this.model = model;
        this.folder = folder;
        for (int i = 0; i < PLACES; i++) {
            places[i] = new Place();
            places[i].session = model.newSession();
            save(places[i]);
        }
    }

    /** One random deed at one random place, or from one place to another. */
    void step(SplittableRandom random) throws IOException {
        Place place = places[random.nextInt(PLACES)];
        int deed = random.nextInt(10);
        if (deed == 9) {
            fork(place, random);
            return;
        }
        synchronized (place) {
            switch (deed) {
                case 0, 1, 2 -> feed(place, random.ints(1 + random.nextInt(70), 0, VOCABULARY).toArray());
                case 3, 4 -> feed(place, new int[]{random.nextInt(VOCABULARY)});
                case 5 -> save(place);
                case 6 -> load(place);
                case 7 -> {
                    place.session.close();
                    place.session = model.newSession();
                    place.known = new ArrayList<>();
                    count("closed");
                }
                default -> {
                    place.session.reset();
                    place.known = new ArrayList<>();
                    count("reset");
                }
            }
        }
    }

    private synchronized void count(String deed) {
        counts.merge(deed, 1, Integer::sum);
    }

    private void feed(Place place, int[] ids) {
        if (place.known.size() == LONGEST) {
            place.session.reset();
            place.known = new ArrayList<>();
        }
        say(place.session, ids);
        place.known.add(ids);
        count("fed");
    }

    private static float[] say(Session session, int[] ids) {
        return ids.length == 1 ? session.feed(ids[0]) : session.feed(ids);
    }

    private void save(Place place) throws IOException {
        // Sometimes over the old file, sometimes to a new one.
        int number = files.incrementAndGet();
        if (place.file == null || number % 2 == 0) {
            place.file = folder.resolve("memory-" + number);
        }
        place.session.saveMemory(place.file);
        place.saved = List.copyOf(place.known);
        count("saved");
    }

    private void load(Place place) throws IOException {
        place.session.loadMemory(place.file);
        place.known = new ArrayList<>(place.saved);
        count("loaded");
    }

    /** Takes a copy of one place's session to another place; never with hold of both. */
    private void fork(Place from, SplittableRandom random) {
        Session copy;
        List<int[]> known;
        synchronized (from) {
            copy = from.session.fork();
            known = new ArrayList<>(from.known);
        }
        Place to = places[random.nextInt(PLACES)];
        synchronized (to) {
            to.session.close();
            to.session = copy;
            to.known = known;
        }
        count("forked");
    }

    /** Reads every history alone; how many were compared. */
    int check() throws IOException {
        int compared = 0;
        for (Place place : places) {
            compare(place.session, place.known);
            place.session.loadMemory(place.file);
            compare(place.session, place.saved);
            compared += 2;
        }
        return compared;
    }

    private void compare(Session session, List<int[]> history) {
        try (Session alone = model.newSession()) {
            history.forEach(ids -> say(alone, ids));
            for (int id = 0; id < 3; id++) {
                if (!Arrays.equals(session.feed(id), alone.feed(id))) {
                    throw new AssertionError(
                            "a session that knows " + history.size() + " pieces says something else than alone");
                }
            }
        }
    }

    /** What was done how often. */
    String counts() {
        return counts.toString();
    }
}
