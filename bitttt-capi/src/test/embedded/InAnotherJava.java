import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** A Java that was started without bitttt, and then loads libbitttt: {@code java InAnotherJava.java LIBRARY}. */
final class InAnotherJava {
    public static void main(String[] arguments) throws Throwable {
        try (Arena arena = Arena.ofConfined()) {
            SymbolLookup library = SymbolLookup.libraryLookup(Path.of(arguments[0]), Arena.global());
            MethodHandle version = Linker.nativeLinker().downcallHandle(library.find("bitttt_version").orElseThrow(),
                    FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG,
                            ValueLayout.ADDRESS));
            MethodHandle lastError = Linker.nativeLinker().downcallHandle(
                    library.find("bitttt_last_error").orElseThrow(), FunctionDescriptor.of(ValueLayout.ADDRESS));
            MemorySegment text = arena.allocate(200);
            int code = (int) version.invokeExact(text, text.byteSize(), arena.allocate(8));
            if (code != 0) {
                text = ((MemorySegment) lastError.invokeExact()).reinterpret(2048);
            }
            System.out.println(code + " " + text.getString(0));
        }
    }
}
