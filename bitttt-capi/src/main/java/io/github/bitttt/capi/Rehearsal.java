package io.github.bitttt.capi;

import io.github.bitttt.llama.zoo.Zoo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What the first calls of a program do. The build runs it once to see which classes they need, and puts those into an archive
 * beside the library, from which Java starts faster.
 */
final class Rehearsal {
    private static final int ROOM = 1 << 13;

    private final long error;
    private final long buffer;
    private final MemorySegment handle;
    private final MemorySegment length;

    private Rehearsal(Arena arena) {
        error = arena.allocate(ROOM, 8).address();
        buffer = arena.allocate(ROOM, 8).address();
        handle = arena.allocate(8, 8);
        length = arena.allocate(8, 8);
    }

    public static void main(String[] arguments) {
        try (Arena arena = Arena.ofConfined()) {
            Rehearsal rehearsal = new Rehearsal(arena);
            rehearsal.check(Bridge.start(rehearsal.error, true));
            rehearsal.layer();
            rehearsal.story(arena);
            rehearsal.check(Bridge.shutdown(rehearsal.error));
        }
    }

    @SuppressWarnings("restricted") // it is our own memory
    private void check(int code) {
        if (code != ErrorCode.OK.number()) {
            throw new IllegalStateException(MemorySegment.ofAddress(error).reinterpret(ROOM).getString(0));
        }
    }

    /** The handle that the last call gave. */
    private long given() {
        return handle.get(ValueLayout.JAVA_LONG, 0);
    }

    private void layer() {
        int width = ROOM / 8;
        check(Bridge.layerNew(error, width, 0.1f, true, 1, handle.address()));
        check(Bridge.layerForward(error, given(), buffer, 1, buffer));
        check(Bridge.layerFree(error, given()));
    }

    private void story(Arena arena) {
        MemorySegment name = arena.allocateFrom(Zoo.DEFAULT);
        MemorySegment options = arena.allocateFrom("{\"max_new_tokens\": 10}");
        MemorySegment prompt = arena.allocateFrom("Once upon a time");
        check(Bridge.modelLoad(error, name.address(), name.byteSize() - 1, handle.address()));
        long model = given();
        check(Bridge.modelDescribe(error, model, buffer, ROOM, length.address()));
        check(Bridge.modelVocabulary(error, model, length.address()));
        check(Bridge.encode(error, model, prompt.address(), prompt.byteSize() - 1, buffer, ROOM / 4, length.address()));
        check(Bridge.sessionNew(error, model, handle.address()));
        long session = given();
        check(Bridge.generationNew(error, session, prompt.address(), prompt.byteSize() - 1, options.address(),
                options.byteSize() - 1, handle.address()));
        for (int piece = 0; piece < 5; piece++) {
            check(Bridge.generationNext(error, given(), buffer, ROOM, length.address(), length.address()));
        }
        check(Bridge.generationFree(error, given()));
        check(Bridge.sessionDescribe(error, session, buffer, ROOM, length.address()));
        check(Bridge.sessionFree(error, session));
        check(Bridge.modelFree(error, model));
    }
}
