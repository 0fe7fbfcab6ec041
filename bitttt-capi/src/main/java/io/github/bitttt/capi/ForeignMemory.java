package io.github.bitttt.capi;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** Memory of the caller, by address: read and written in place. Addresses were checked for NULL where they may not be. */
final class ForeignMemory {
    private ForeignMemory() {
    }

    @SuppressWarnings("restricted") // the caller vouches for its addresses, as in all of C
    private static MemorySegment at(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    /** Checks a number of elements, which C counts without a sign. */
    static int count(String what, long count) {
        if (count < 0 || count > Integer.MAX_VALUE - 64) {
            throw new IllegalArgumentException(
                    "the number of " + what + " must be 0 to 2^31 - 64, got " + Long.toUnsignedString(count));
        }
        return (int) count;
    }

    /** A text in UTF-8; bytes that are not valid become U+FFFD. */
    static String text(long address, long bytes) {
        byte[] copy = new byte[count("bytes", bytes)];
        MemorySegment.copy(at(address, copy.length), ValueLayout.JAVA_BYTE, 0, copy, 0, copy.length);
        return new String(copy, StandardCharsets.UTF_8);
    }

    /** Token ids. */
    static int[] ids(long address, long count) {
        int[] ids = new int[count("tokens", count)];
        MemorySegment.copy(at(address, 4L * ids.length), ValueLayout.JAVA_INT_UNALIGNED, 0, ids, 0, ids.length);
        return ids;
    }

    static void read(long address, long index, float[] into, int count) {
        MemorySegment.copy(at(address, 4 * (index + count)), ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * index, into, 0,
                count);
    }

    static void write(long address, long index, float[] from, int count) {
        MemorySegment.copy(from, 0, at(address, 4 * (index + count)), ValueLayout.JAVA_FLOAT_UNALIGNED, 4 * index,
                count);
    }

    /** Copies floats from one address to another, which may overlap. */
    static void copy(long from, long to, long count) {
        MemorySegment.copy(at(from, 4 * count), 0, at(to, 4 * count), 0, 4 * count);
    }

    static void writeLong(long address, long value) {
        at(address, 8).set(ValueLayout.JAVA_LONG_UNALIGNED, 0, value);
    }

    static void writeInt(long address, int value) {
        at(address, 4).set(ValueLayout.JAVA_INT_UNALIGNED, 0, value);
    }

    /** Writes token ids where they fit; without a buffer only their number is told. */
    static void writeIds(int[] ids, long address, long capacity, long countAddress) {
        writeLong(countAddress, ids.length);
        if (fits("token ids", ids.length, address, capacity)) {
            MemorySegment.copy(ids, 0, at(address, 4L * ids.length), ValueLayout.JAVA_INT_UNALIGNED, 0, ids.length);
        }
    }

    /** Writes a text in UTF-8 with a NUL behind it where it fits; without a buffer only its length is told. */
    static void writeText(byte[] utf8, long address, long capacity, long lengthAddress) {
        writeLong(lengthAddress, utf8.length);
        if (fits("bytes, its NUL included", utf8.length + 1L, address, capacity)) {
            MemorySegment to = at(address, utf8.length + 1L);
            MemorySegment.copy(utf8, 0, to, ValueLayout.JAVA_BYTE, 0, utf8.length);
            to.set(ValueLayout.JAVA_BYTE, utf8.length, (byte) 0);
        }
    }

    private static boolean fits(String what, long needed, long address, long capacity) {
        if (address == 0 && capacity == 0) {
            return false;
        }
        if (capacity >= 0 && capacity < needed) {
            throw new CallException(ErrorCode.BUFFER,
                    "the buffer must hold " + needed + " " + what + ", got room for " + capacity);
        }
        return true;
    }

    /** Writes as much of a message as fits, whole characters, and a NUL. */
    static void writeMessage(String message, long address, int capacity) {
        byte[] utf8 = message.getBytes(StandardCharsets.UTF_8);
        int length = Math.min(utf8.length, capacity - 1);
        // Not in the middle of a character: what follows may not be a continuation byte.
        while (length < utf8.length && (utf8[length] & 0xC0) == 0x80) {
            length--;
        }
        MemorySegment to = at(address, capacity);
        MemorySegment.copy(utf8, 0, to, ValueLayout.JAVA_BYTE, 0, length);
        to.set(ValueLayout.JAVA_BYTE, length, (byte) 0);
    }
}
