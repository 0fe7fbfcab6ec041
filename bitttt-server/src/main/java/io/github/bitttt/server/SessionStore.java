package io.github.bitttt.server;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The sessions that clients name, a bounded number, each lent to one answer at a time; and a few without a name that attention makes worth
 * keeping: a client that sends a conversation from its beginning each time finds it read. For any thread.
 */
final class SessionStore implements AutoCloseable {
    /** Sessions without a name: each may hold a whole context. */
    private static final int KEPT = 4;
    /** Of Java's memory all of them together hold no more than one in so many parts. */
    private static final int SHARE = 4;

    private final Model model;
    private final int bound;
    // Those not in use, the one unused for longest first.
    private final Map<String, Session> idle = new LinkedHashMap<>();
    private final Map<String, Session> lent = new HashMap<>();
    // Without a name, the one unused for longest first.
    private final List<Session> kept = new ArrayList<>();
    private final long most; // bytes that those without a name hold
    private boolean closed;

    SessionStore(Model model, int bound) {
        this(model, bound, Runtime.getRuntime().maxMemory() / SHARE);
    }

    SessionStore(Model model, int bound, long most) {
        this.model = model;
        this.bound = bound;
        this.most = most;
    }

    /** Lends a session, a new one if the name is new.
     *
     * @throws ApiException if it is in use, or all are */
    synchronized Session lend(String name) throws ApiException {
        if (lent.containsKey(name)) {
            throw ApiException.busy(429, "session_in_use",
                    "session " + name + " is answering another request; wait for it");
        }
        Session kept = idle.remove(name);
        if (kept == null) {
            if (lent.size() >= bound) {
                throw ApiException.busy(429, "too_many_sessions",
                        "all " + bound + " sessions are in use; try again later");
            }
            if (lent.size() + idle.size() >= bound) {
                idle.remove(idle.keySet().iterator().next()).close();
            }
            kept = model.newSession();
        }
        lent.put(name, kept);
        return kept;
    }

    /** Lends a session without a name: the one that has read most of a text, or a new one. */
    synchronized Session lend(int[] text) {
        Session best = null;
        int most = 0;
        for (Session one : kept) {
            int common = one.inCommon(text);
            // One that has read much else belongs to another conversation that begins alike, which may go on.
            if (common > most && 2L * common >= one.position()) {
                best = one;
                most = common;
            }
        }
        if (best == null) {
            return model.newSession();
        }
        kept.remove(best);
        return best;
    }

    /** Takes a session without a name back, to be kept if it can serve again. */
    synchronized void giveBack(Session session, boolean sound) {
        if (!sound || closed || model.memoryBytesPerToken() == 0 || session.position() == 0) {
            session.close();
            return;
        }
        kept.add(session);
        while (kept.size() > KEPT || keptBytes() > most) {
            kept.removeFirst().close();
        }
    }

    private long keptBytes() {
        return kept.stream().mapToLong(one -> model.memoryBytes() + one.position() * model.memoryBytesPerToken()).sum();
    }

    /** Closes those without a name: memory is short. */
    synchronized void dropUnnamed() {
        kept.forEach(Session::close);
        kept.clear();
    }

    /** Takes a session back, also from an answer that was cut off: it knows what it has read. */
    synchronized void giveBack(String name) {
        Session kept = lent.remove(name);
        if (kept != null) {
            idle.put(name, kept);
        }
    }

    /** Drops a session in which something went wrong. */
    synchronized void drop(String name) {
        Session kept = lent.remove(name);
        if (kept != null) {
            kept.close();
        }
    }

    /** Forgets a session.
     *
     * @return whether there was one
     * @throws ApiException if it is in use */
    synchronized boolean forget(String name) throws ApiException {
        if (lent.containsKey(name)) {
            throw ApiException.busy(429, "session_in_use", "session " + name + " is answering a request; wait for it");
        }
        Session kept = idle.remove(name);
        if (kept != null) {
            kept.close();
        }
        return kept != null;
    }

    /** How many there are. */
    synchronized int size() {
        return idle.size() + lent.size();
    }

    @Override
    public synchronized void close() {
        idle.values().forEach(Session::close);
        idle.clear();
        dropUnnamed();
        closed = true;
    }
}
