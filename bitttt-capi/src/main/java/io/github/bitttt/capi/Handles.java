package io.github.bitttt.capi;

import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Numbers that stand for objects outside of Java. A number is never given twice, so one that was freed is known as such. For
 * any thread; looking up neither locks nor allocates.
 */
final class Handles {
    private static final int SLOT_BITS = 20;
    private static final int MOST = 1 << SLOT_BITS;

    /**
     * What a handle may stand for.
     *
     * @param <T>  its type
     * @param name with its article, as messages say it
     * @param type its class
     */
    record Kind<T>(String name, Class<T> type) {}

    private record Entry(long handle, Kind<?> kind, Object object) {}

    private volatile AtomicReferenceArray<Entry> slots = new AtomicReferenceArray<>(16);
    private long generation;
    private int firstFree; // no slot before it is free

    /** Makes a handle.
     *
     * @param kind   what it is
     * @param object of that kind
     * @return its number, above 0 */
    synchronized <T> long add(Kind<T> kind, T object) {
        AtomicReferenceArray<Entry> current = slots;
        int slot = firstFree;
        while (slot < current.length() && current.get(slot) != null) {
            slot++;
        }
        if (slot == MOST) {
            throw new CallException(ErrorCode.STATE, "there are " + MOST + " open handles; free some");
        }
        if (slot == current.length()) {
            current = grown(current);
            slots = current;
        }
        // The generation above, the slot below.
        long handle = ++generation << SLOT_BITS | slot;
        current.set(slot, new Entry(handle, kind, object));
        firstFree = slot + 1;
        return handle;
    }

    private static AtomicReferenceArray<Entry> grown(AtomicReferenceArray<Entry> from) {
        AtomicReferenceArray<Entry> larger = new AtomicReferenceArray<>(Math.min(MOST, 2 * from.length()));
        for (int i = 0; i < from.length(); i++) {
            larger.set(i, from.get(i));
        }
        return larger;
    }

    /** What a handle stands for.
     *
     * @param kind   what is expected
     * @param handle a number from outside
     * @return the object
     * @throws CallException if there is none, or one of another kind */
    <T> T get(Kind<T> kind, long handle) {
        AtomicReferenceArray<Entry> current = slots;
        int slot = (int) handle & MOST - 1;
        Entry entry = slot < current.length() ? current.get(slot) : null;
        if (entry == null || entry.handle != handle) {
            throw new CallException(ErrorCode.HANDLE,
                    "handle " + handle + " is not open: it was freed or never made; " + kind.name + " is needed");
        }
        if (entry.kind != kind) {
            throw new CallException(ErrorCode.HANDLE,
                    "handle " + handle + " is " + entry.kind.name + "; " + kind.name + " is needed");
        }
        return kind.type.cast(entry.object);
    }

    /** Ends a handle.
     *
     * @param kind   what is expected
     * @param handle a number from outside
     * @return what it stood for
     * @throws CallException if there is none, or one of another kind */
    synchronized <T> T remove(Kind<T> kind, long handle) {
        T object = get(kind, handle);
        int slot = (int) handle & MOST - 1;
        slots.set(slot, null);
        firstFree = Math.min(firstFree, slot);
        return object;
    }

    /** Ends all of them. */
    synchronized void clear() {
        slots = new AtomicReferenceArray<>(16);
        firstFree = 0;
    }
}
