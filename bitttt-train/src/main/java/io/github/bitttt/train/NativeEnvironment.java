package io.github.bitttt.train;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;

/** The process's own environment, as native libraries read it when they are loaded; Java keeps a copy of its own. */
@SuppressWarnings("restricted") // two functions of the C library, whose forms are known
final class NativeEnvironment {
    private NativeEnvironment() {
    }

    /** Sets a variable that has no value yet, for libraries that are loaded later. Does nothing where C has no {@code setenv}, as on
     * Windows.
     *
     * @return whether the variable has a value now */
    static boolean setIfAbsent(String name, String value) {
        Optional<MethodHandle> setenv = function("setenv", FunctionDescriptor.of(ValueLayout.JAVA_INT,
                ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        if (setenv.isEmpty()) {
            return System.getenv(name) != null;
        }
        try (Arena arena = Arena.ofConfined()) {
            // The last 0: do not overwrite.
            return (int) setenv.get().invokeExact(arena.allocateFrom(name), arena.allocateFrom(value), 0) == 0;
        } catch (Throwable e) {
            throw new AssertionError("setenv takes two texts and a number", e);
        }
    }

    /** What a library would read. */
    static Optional<String> get(String name) {
        Optional<MethodHandle> getenv = function("getenv",
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.ADDRESS));
        if (getenv.isEmpty()) {
            return Optional.ofNullable(System.getenv(name));
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = (MemorySegment) getenv.get().invokeExact(arena.allocateFrom(name));
            return value.equals(MemorySegment.NULL)
                    ? Optional.empty()
                    : Optional.of(value.reinterpret(Long.MAX_VALUE).getString(0));
        } catch (Throwable e) {
            throw new AssertionError("getenv takes a text", e);
        }
    }

    private static Optional<MethodHandle> function(String name, FunctionDescriptor form) {
        Linker linker = Linker.nativeLinker();
        return linker.defaultLookup().find(name).map(address -> linker.downcallHandle(address, form));
    }
}
