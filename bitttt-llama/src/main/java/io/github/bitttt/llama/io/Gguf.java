package io.github.bitttt.llama.io;

import io.github.bitttt.llama.text.Excerpt;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A GGUF file, versions 2 and 3, little endian: keys with values, descriptions of tensors, and their data, each at a multiple of
 * {@code general.alignment}.
 *
 * <p>Nothing that the file says is believed: counts are checked against what the rest of the file can hold before anything is made,
 * sizes of tensors against its end and against each other. Source: ggml's {@code docs/gguf.md}.
 *
 * @param file    where it came from
 * @param keys    by name: Long, Double, Boolean, String, or a list of these
 * @param tensors by name, in the order of the file
 */
record Gguf(Path file, Map<String, Object> keys, SequencedMap<String, GgufTensor> tensors) {
    static final int MAGIC = 0x46554747; // GGUF
    private static final String ALIGNMENT = "general.alignment";
    private static final int MAX_KEYS = 10_000;
    private static final int MAX_ARRAY = 1 << 22; // entries; a vocabulary has fewer
    private static final int MAX_NAME = 256;
    private static final int MAX_TEXT = 1 << 20;
    private static final int MAX_SHOWN = 100;
    private static final int UNSIGNED_BYTE = 255;
    private static final int UNSIGNED_SHORT = 0xffff;
    private static final long UNSIGNED_INT = 0xffffffffL;
    private static final Map<Integer, String> REFUSED = Map.of(
            38, "TL1, whose order depends on the machine that it was made for",
            39, "TL2, whose order depends on the machine that it was made for, or MXFP4");

    /** Maps a file: its tensors are read where they are used, however large it is.
     *
     * @param arena which keeps it mapped; the tensors are gone when it is closed
     * @throws CheckpointException if it says something wrong */
    static Gguf map(Path file, Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return new Reader(file, channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena)).read();
        }
    }

    /** Types of values, by their numbers in the file. */
    private enum ValueType {
        U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64;

        /** The fewest bytes that one takes. */
        int least() {
            return switch (this) {
                case U8, I8, BOOL -> 1;
                case U16, I16 -> 2;
                case U32, I32, F32 -> 4;
                case STRING, U64, I64, F64 -> 8;
                case ARRAY -> 12;
            };
        }
    }

    private record Description(String name, GgufType type, int rows, int columns, long offset) {
        long numbers() {
            return (long) rows * columns;
        }

        Description with(GgufType other) {
            return new Description(name, other, rows, columns, offset);
        }

        long size() {
            return GgufTensor.size(type, numbers());
        }
    }

    /** Goes through the file once. */
    private static final class Reader {
        private final Path file;
        private final MemorySegment all;
        private long at;
        private int version;

        Reader(Path file, MemorySegment all) {
            this.file = file;
            this.all = all;
        }

        Gguf read() throws CheckpointException {
            if (all.byteSize() < 24 || (int) number(4, "the beginning") != MAGIC) {
                throw new CheckpointException(file, "a GGUF file begins with the letters GGUF and three numbers");
            }
            version = (int) number(4, "the version");
            if (version != 2 && version != 3) {
                throw new CheckpointException(file,
                        "the version must be 2 or 3, got " + Integer.toUnsignedString(version)
                                + (version == 1 || Integer.reverseBytes(version) <= 3
                                        ? "; old or big-endian files are not read"
                                        : ""));
            }
            long tensorCount = count("tensors", Safetensors.MAX_TENSORS, 24);
            long keyCount = count("keys", MAX_KEYS, 13);
            Map<String, Object> keys = new LinkedHashMap<>();
            for (long i = 0; i < keyCount; i++) {
                String name = text("the name of a key", MAX_NAME);
                if (keys.put(name, value(valueType(name), name, false)) != null) {
                    throw new CheckpointException(file, "key " + shown(name) + " stands there twice");
                }
            }
            List<Description> descriptions = new ArrayList<>();
            for (long i = 0; i < tensorCount; i++) {
                descriptions.add(description());
            }
            return new Gguf(file, Collections.unmodifiableMap(keys), tensors(descriptions, alignment(keys)));
        }

        private long alignment(Map<String, Object> keys) throws CheckpointException {
            Object value = keys.getOrDefault(ALIGNMENT, 32L);
            if (!(value instanceof Long alignment) || alignment < 8 || alignment > 1 << 16
                    || Long.bitCount(alignment) != 1) {
                throw new CheckpointException(file,
                        ALIGNMENT + " must be a power of two from 8 to 65536, got " + shown(value));
            }
            return alignment;
        }

        private SequencedMap<String, GgufTensor> tensors(List<Description> descriptions, long alignment)
                throws CheckpointException {
            long start = (at + alignment - 1) / alignment * alignment;
            long dataBytes = Math.max(0, all.byteSize() - start);
            List<Description> sorted = new ArrayList<>(descriptions);
            sorted.sort(Comparator.comparingLong(Description::offset));
            sorted = ofTheirSizes(sorted, alignment, dataBytes);
            SequencedMap<String, GgufTensor> tensors = new LinkedHashMap<>();
            long end = 0;
            for (Description tensor : sorted) {
                String where = "tensor " + shown(tensor.name());
                if (tensor.offset() % alignment != 0) {
                    throw new CheckpointException(file, where + " must begin at a multiple of " + alignment + ", got "
                            + tensor.offset());
                }
                if (tensor.offset() < end) {
                    throw new CheckpointException(file, where + " begins at byte " + tensor.offset()
                            + " of the data, but the one before it ends at " + end);
                }
                end = Math.addExact(tensor.offset(), tensor.size());
                if (end > dataBytes) {
                    throw new CheckpointException(file, where + " ends at byte " + end + " of the data, the file has "
                            + dataBytes + "; it is truncated");
                }
                if (tensors.put(tensor.name(), new GgufTensor(tensor.type(), tensor.rows(), tensor.columns(),
                        all.asSlice(start + tensor.offset(), tensor.size()))) != null) {
                    throw new CheckpointException(file, where + " stands there twice");
                }
            }
            return tensors;
        }

        /** Type 42 has groups of 64 weights or, in older files, of 128: what lies between the tensors tells which. */
        private static List<Description> ofTheirSizes(List<Description> sorted, long alignment, long dataBytes) {
            boolean wide = false;
            for (int i = 0; i < sorted.size(); i++) {
                Description tensor = sorted.get(i);
                if (tensor.type() == GgufType.Q2_0) {
                    long room = (i + 1 < sorted.size() ? sorted.get(i + 1).offset() : dataBytes) - tensor.offset();
                    wide |= tensor.size() > room || tensor.size() + alignment <= room;
                }
            }
            return !wide
                    ? sorted
                    : sorted.stream()
                            .map(tensor -> tensor.type() == GgufType.Q2_0 ? tensor.with(GgufType.PQ2_0) : tensor)
                            .toList();
        }

        private Description description() throws CheckpointException {
            String name = text("the name of a tensor", MAX_NAME);
            String where = "tensor " + shown(name);
            long dimensions = number(4, where);
            if (dimensions < 1 || dimensions > 2) {
                throw new CheckpointException(file, where + " must have 1 or 2 dimensions, got " + dimensions);
            }
            long columns = number(8, where);
            long rows = dimensions == 2 ? number(8, where) : 1;
            int id = (int) number(4, where);
            GgufType type = GgufType.of(id).orElseThrow(() -> new CheckpointException(file, where + " is of type "
                    + Integer.toUnsignedString(id) + (REFUSED.containsKey(id) ? ", " + REFUSED.get(id) : "")
                    + "; types that are read: F32, F16, BF16, Q8_0, Q6_K, and ternary I2_S, TQ1_0, TQ2_0, Q2_0, PQ2_0, PTQ1_0"
                    + "; convert the original checkpoint to I2_S or TQ2_0, or give its folder of safetensors"));
            long offset = number(8, where);
            if (columns < 1 || rows < 1 || columns > Integer.MAX_VALUE || rows > Integer.MAX_VALUE
                    || columns % type.numbers() != 0) {
                throw new CheckpointException(file, where + " of type " + type + " must have rows of whole blocks of "
                        + type.numbers() + " numbers, at most 2^31 - 1, got " + Long.toUnsignedString(rows) + " of "
                        + Long.toUnsignedString(columns));
            }
            if (offset < 0 || offset > all.byteSize()) {
                throw new CheckpointException(file, where + " begins at byte " + Long.toUnsignedString(offset)
                        + " of the data, the whole file has " + all.byteSize() + "; it is truncated");
            }
            return new Description(name, type, (int) rows, (int) columns, offset);
        }

        private ValueType valueType(String name) throws CheckpointException {
            long type = number(4, name);
            if (type >= ValueType.values().length) {
                throw new CheckpointException(file, "key " + shown(name) + ": the type of a value must be 0 to "
                        + (ValueType.values().length - 1) + ", got " + type);
            }
            return ValueType.values()[(int) type];
        }

        private Object value(ValueType type, String name, boolean inArray) throws CheckpointException {
            return switch (type) {
                case U8 -> number(1, name) & UNSIGNED_BYTE;
                case I8 -> (long) (byte) number(1, name);
                case U16 -> number(2, name) & UNSIGNED_SHORT;
                case I16 -> (long) (short) number(2, name);
                case U32 -> number(4, name) & UNSIGNED_INT;
                case I32 -> (long) (int) number(4, name);
                case F32 -> (double) Float.intBitsToFloat((int) number(4, name));
                case BOOL -> number(1, name) != 0;
                case STRING -> text(name, MAX_TEXT);
                case U64, I64 -> number(8, name);
                case F64 -> Double.longBitsToDouble(number(8, name));
                case ARRAY -> {
                    if (inArray) {
                        throw new CheckpointException(file, "key " + shown(name) + ": a list of lists is not read");
                    }
                    ValueType element = valueType(name);
                    long count = count("entries of " + shown(name), MAX_ARRAY, element.least());
                    List<Object> list = new ArrayList<>((int) count);
                    for (long i = 0; i < count; i++) {
                        list.add(value(element, name, true));
                    }
                    yield Collections.unmodifiableList(list);
                }
            };
        }

        /** A number of things that follow, each of so many bytes at least. */
        private long count(String what, long most, int bytes) throws CheckpointException {
            long count = number(8, what);
            if (count < 0 || count > most || count > (all.byteSize() - at) / bytes) {
                throw new CheckpointException(file, "the number of " + what + " must be at most "
                        + Math.min(most, (all.byteSize() - at) / bytes) + ", got " + Long.toUnsignedString(count));
            }
            return count;
        }

        private String text(String what, int most) throws CheckpointException {
            long length = number(8, what);
            long rest = all.byteSize() - at;
            if (length < 0 || length > Math.min(most, rest)) {
                throw new CheckpointException(file, what + " must have at most " + Math.min(most, rest) + " bytes, got "
                        + Long.toUnsignedString(length));
            }
            String text = new String(all.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
            at += length;
            return text;
        }

        /** So many bytes as a number, whose upper bytes are 0. */
        private long number(int bytes, String what) throws CheckpointException {
            if (all.byteSize() - at < bytes) {
                throw new CheckpointException(file, "ends in the midst of " + Excerpt.of(what, MAX_SHOWN));
            }
            long number = 0;
            for (int i = 0; i < bytes; i++) {
                number |= (long) (all.get(ValueLayout.JAVA_BYTE, at + i) & UNSIGNED_BYTE) << Byte.SIZE * i;
            }
            at += bytes;
            return number;
        }

        private static String shown(Object value) {
            return Excerpt.of(value, MAX_SHOWN);
        }
    }
}
