package io.github.bitttt.llama.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.StreamSupport;

/**
 * Reads and writes safetensors: 8 bytes of header length, a JSON header, raw little endian numbers.
 *
 * <p>The header is checked before a tensor is read: tensors fill the file from its header to its end without gap or overlap,
 * so a file cannot make the reader allocate more than its own size.
 *
 * @param file     where it came from
 * @param tensors  by name, in the order of the data
 * @param metadata text by name
 */
public record Safetensors(Path file, SequencedMap<String, Tensor> tensors, Map<String, String> metadata)
        implements
            TensorSource {
    private static final String METADATA = "__metadata__";
    private static final int MAX_HEADER_BYTES = 100_000_000; // as in the format's own implementation
    private static final int MAX_ARRAY = Integer.MAX_VALUE - 64;
    private static final int PIECE_BYTES = 1 << 16; // written at once
    static final int MAX_TENSORS = 10_000;

    /** Makes the maps unmodifiable. */
    public Safetensors {
        tensors = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(tensors));
        metadata = Map.copyOf(metadata);
    }

    private record Entry(String name, Tensor.Type type, List<Long> shape, long from, long to) {}

    /** Where the bytes are. */
    private interface Source {
        long size() throws IOException;

        MemorySegment bytes(long from, long length) throws IOException;
    }

    /** Bytes that are there. */
    private record Present(MemorySegment all) implements Source {
        @Override
        public long size() {
            return all.byteSize();
        }

        @Override
        public MemorySegment bytes(long from, long length) {
            return all.asSlice(from, length);
        }
    }

    /** Bytes that are read when they are asked for. */
    private record Open(Path file, FileChannel channel) implements Source {
        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        public MemorySegment bytes(long from, long length) throws IOException {
            ByteBuffer into = ByteBuffer.allocate(Math.toIntExact(length));
            long at = from;
            while (into.hasRemaining()) {
                int read = channel.read(into, at);
                if (read < 0) {
                    throw new CheckpointException(file,
                            "ended at byte " + at + ", " + into.remaining() + " bytes too early");
                }
                at += read;
            }
            return MemorySegment.ofBuffer(into.flip());
        }
    }

    /** Reads a whole file into memory.
     *
     * @param file a safetensors file
     * @return its tensors
     * @throws CheckpointException if it says something wrong
     * @throws IOException         if it cannot be read */
    public static Safetensors read(Path file) throws IOException {
        if (Files.isDirectory(file)) {
            throw new CheckpointException(file, "is a folder; name a file");
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            checkMemory(file, channel.size());
            return read(file, new Open(file, channel), MAX_ARRAY);
        }
    }

    /** Maps a file: its tensors are read where they are used, however large it is.
     *
     * @param file  a safetensors file
     * @param arena which keeps it mapped; the tensors are gone when it is closed
     * @return its tensors
     * @throws CheckpointException if it says something wrong
     * @throws IOException         if it cannot be read */
    static Safetensors map(Path file, Arena arena) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return read(file, new Present(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena)),
                    Long.MAX_VALUE);
        }
    }

    /** Reads a whole stream.
     *
     * @param name   of its origin, for messages
     * @param stream the contents of a safetensors file
     * @return its tensors
     * @throws CheckpointException if it says something wrong
     * @throws IOException         if it cannot be read */
    static Safetensors read(Path name, InputStream stream) throws IOException {
        return read(name, new Present(MemorySegment.ofArray(stream.readAllBytes())), MAX_ARRAY);
    }

    private static Safetensors read(Path file, Source source, long most) throws IOException {
        byte[] header = header(file, source);
        long start = 8L + header.length;
        JsonNode root = StrictJson.object(new String(header, StandardCharsets.UTF_8), file, "the header ");
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        for (Entry entry : entries(file, root, source.size() - start, most)) {
            tensors.put(entry.name(), new Tensor(entry.type(), entry.shape(),
                    source.bytes(start + entry.from(), entry.to() - entry.from())));
        }
        return new Safetensors(file, tensors, metadata(file, root.path(METADATA)));
    }

    /** A file may be longer than memory, without being so on disk: better said than run into. */
    static void checkMemory(Path file, long bytes) throws IOException {
        long most = Runtime.getRuntime().maxMemory();
        if (bytes > most) {
            throw new IOException(file + ": its " + bytes + " bytes do not fit into the " + most
                    + " bytes of memory that this Java may use; give it more by -Xmx");
        }
    }

    private static byte[] header(Path file, Source source) throws IOException {
        long size = source.size();
        if (size < 8) {
            throw new CheckpointException(file, "a safetensors file begins with 8 bytes of header length, got " + size
                    + " bytes in all");
        }
        long headerBytes = source.bytes(0, 8)
                .get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
        long most = Math.min(size - 8, MAX_HEADER_BYTES);
        if (headerBytes < 2 || headerBytes > most) {
            throw new CheckpointException(file, "the header must have 2 to " + most + " bytes, the file says "
                    + Long.toUnsignedString(headerBytes) + "; it is truncated or no safetensors file");
        }
        return source.bytes(8, headerBytes).toArray(ValueLayout.JAVA_BYTE);
    }

    private static List<Entry> entries(Path file, JsonNode header, long dataBytes, long most)
            throws CheckpointException {
        if (header.size() > MAX_TENSORS) {
            throw new CheckpointException(file, "at most " + MAX_TENSORS + " tensors, got " + header.size());
        }
        List<Entry> entries = new ArrayList<>();
        for (Map.Entry<String, JsonNode> property : header.properties()) {
            if (!property.getKey().equals(METADATA)) {
                entries.add(entry(file, property.getKey(), property.getValue(), most));
            }
        }
        entries.sort(Comparator.comparingLong(Entry::from).thenComparingLong(Entry::to));
        long end = 0;
        for (Entry entry : entries) {
            if (entry.from() != end) {
                throw new CheckpointException(file,
                        "tensor " + StrictJson.shown(entry.name()) + " begins at byte " + entry.from() + ", but "
                                + end + " is where the one before it ends; tensors may neither overlap nor leave gaps");
            }
            end = entry.to();
        }
        if (end != dataBytes) {
            throw new CheckpointException(file,
                    "the header promises " + end + " bytes of tensors, the file has " + dataBytes
                            + "; it is truncated or has something behind its end");
        }
        return entries;
    }

    private static Entry entry(Path file, String name, JsonNode node, long most)
            throws CheckpointException {
        String where = "tensor " + StrictJson.shown(name) + ": ";
        Tensor.Type type;
        try {
            type = Tensor.Type.valueOf(node.path("dtype").asText());
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(file,
                    where + "dtype must be one of " + List.of(Tensor.Type.values()) + ", got "
                            + StrictJson.shown(node.path("dtype")),
                    e);
        }
        List<Long> shape = longs(file, where + "shape", node.path("shape"));
        List<Long> offsets = longs(file, where + "data_offsets", node.path("data_offsets"));
        if (offsets.size() != 2 || offsets.getFirst() > offsets.getLast()) {
            throw new CheckpointException(file, where + "data_offsets must be [begin, end], got " + offsets);
        }
        long bytes = offsets.getLast() - offsets.getFirst();
        try {
            long expected = Tensor.size(type, shape);
            if (expected != bytes) {
                throw new CheckpointException(file, where + type + " " + shape + " takes " + expected
                        + " bytes, data_offsets give it " + bytes);
            }
            if (bytes > most) {
                throw new CheckpointException(file, where + "a tensor has fewer than 2^31 - 64 bytes, got " + bytes);
            }
        } catch (ArithmeticException e) {
            throw new CheckpointException(file, where + "shape " + shape + " is too large", e);
        }
        return new Entry(name, type, shape, offsets.getFirst(), offsets.getLast());
    }

    private static List<Long> longs(Path file, String what, JsonNode node) throws CheckpointException {
        if (!node.isArray() || node.size() > 8
                || !StreamSupport.stream(node.spliterator(), false)
                        .allMatch(n -> n.canConvertToLong() && n.isIntegralNumber()
                                && n.longValue() >= 0)) {
            throw new CheckpointException(file,
                    what + " must be a list of at most 8 whole numbers from 0, got "
                            + StrictJson.shown(node));
        }
        return StreamSupport.stream(node.spliterator(), false).map(JsonNode::longValue).toList();
    }

    private static Map<String, String> metadata(Path file, JsonNode node) throws CheckpointException {
        if (!node.isMissingNode() && !node.isNull() && !node.isObject()) {
            throw new CheckpointException(file, METADATA + " must be a JSON object, got " + StrictJson.shown(node));
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            if (entry.getValue().isNull()) {
                continue;
            }
            if (!entry.getValue().isTextual()) {
                throw new CheckpointException(file,
                        METADATA + "." + StrictJson.shown(entry.getKey()) + " must be text, got "
                                + StrictJson.shown(entry.getValue()));
            }
            metadata.put(entry.getKey(), entry.getValue().textValue());
        }
        return metadata;
    }

    /** Writes a file, whole or not at all.
     *
     * @param file     its place
     * @param tensors  by name
     * @param metadata text by name
     * @throws CheckpointException if the header would be longer than can be read again
     * @throws IOException         if that fails; what was there before is there still */
    public static void write(Path file, SequencedMap<String, Tensor> tensors, Map<String, String> metadata)
            throws IOException {
        ObjectNode header = StrictJson.newObject();
        if (!metadata.isEmpty()) {
            ObjectNode texts = header.putObject(METADATA);
            metadata.entrySet().stream().sorted(Map.Entry.comparingByKey())
                    .forEach(entry -> texts.put(entry.getKey(), entry.getValue()));
        }
        long end = 0;
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            ObjectNode node = header.putObject(entry.getKey()).put("dtype", entry.getValue().type().name());
            ArrayNode shape = node.putArray("shape");
            entry.getValue().shape().forEach(shape::add);
            long begin = end;
            end += entry.getValue().data().byteSize();
            node.putArray("data_offsets").add(begin).add(end);
        }
        String json = header.toString();
        // Throws if a name or text is longer than a reader takes: what is written must be readable.
        StrictJson.object(json, file, "the header ");
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        // Spaces up to a multiple of 8, so that the numbers are aligned.
        int padded = Math.ceilDiv(text.length, 8) * 8;
        ByteBuffer head = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN).putLong(padded).put(text);
        while (head.hasRemaining()) {
            head.put((byte) ' ');
        }
        AtomicFile.write(file, channel -> {
            AtomicFile.writeFully(channel, head.flip());
            ByteBuffer piece = ByteBuffer.allocate(PIECE_BYTES);
            for (Tensor tensor : tensors.values()) {
                MemorySegment data = tensor.data();
                for (long from = 0; from < data.byteSize(); from += PIECE_BYTES) {
                    piece.clear().limit((int) Math.min(PIECE_BYTES, data.byteSize() - from));
                    MemorySegment.ofBuffer(piece).copyFrom(data.asSlice(from, piece.remaining()));
                    AtomicFile.writeFully(channel, piece);
                }
            }
        });
    }
}
