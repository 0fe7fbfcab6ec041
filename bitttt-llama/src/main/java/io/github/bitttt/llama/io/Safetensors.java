package io.github.bitttt.llama.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
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
public record Safetensors(Path file, SequencedMap<String, Tensor> tensors, Map<String, String> metadata) {
    private static final String METADATA = "__metadata__";
    private static final int MAX_HEADER_BYTES = 100_000_000; // as in the format's own implementation
    private static final int PIECE_BYTES = 1 << 16; // written at once
    static final int MAX_TENSORS = 10_000;
    // Looking for the nearest of more or longer names would take longer than reading them.
    private static final int MAX_COMPARED = 2_000;
    private static final int MAX_COMPARED_LENGTH = 100;

    /** Makes the maps unmodifiable. */
    public Safetensors {
        tensors = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(tensors));
        metadata = Map.copyOf(metadata);
    }

    private record Entry(String name, Tensor.Type type, List<Long> shape, long from, long to) {}

    /** Where the bytes are. */
    private interface Source {
        long size() throws IOException;

        int read(ByteBuffer into, long position) throws IOException;
    }

    /** Reads a whole file.
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
            return read(file, new Source() {
                @Override
                public long size() throws IOException {
                    return channel.size();
                }

                @Override
                public int read(ByteBuffer into, long position) throws IOException {
                    return channel.read(into, position);
                }
            });
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
        byte[] bytes = stream.readAllBytes();
        return read(name, new Source() {
            @Override
            public long size() {
                return bytes.length;
            }

            @Override
            public int read(ByteBuffer into, long position) {
                int length = (int) Math.min(into.remaining(), bytes.length - position);
                into.put(bytes, (int) position, length);
                return length == 0 ? -1 : length;
            }
        });
    }

    private static Safetensors read(Path file, Source source) throws IOException {
        ByteBuffer header = header(file, source);
        long start = 8L + header.limit();
        checkMemory(file, source.size());
        JsonNode root = StrictJson.object(new String(header.array(), StandardCharsets.UTF_8), file, "the header ");
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        for (Entry entry : entries(file, root, source.size() - start)) {
            ByteBuffer data = ByteBuffer.allocate(Math.toIntExact(entry.to() - entry.from()));
            readFully(file, source, data, start + entry.from());
            tensors.put(entry.name(), new Tensor(entry.type(), entry.shape(), MemorySegment.ofBuffer(data)));
        }
        return new Safetensors(file, tensors, metadata(file, root.path(METADATA)));
    }

    /** A file may be longer than memory, without being so on disk: better said than run into. */
    private static void checkMemory(Path file, long bytes) throws IOException {
        long most = Runtime.getRuntime().maxMemory();
        if (bytes > most) {
            throw new IOException(file + ": its " + bytes + " bytes do not fit into the " + most
                    + " bytes of memory that this Java may use; give it more by -Xmx");
        }
    }

    private static ByteBuffer header(Path file, Source source) throws IOException {
        long size = source.size();
        if (size < 8) {
            throw new CheckpointException(file, "a safetensors file begins with 8 bytes of header length, got " + size
                    + " bytes in all");
        }
        ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        readFully(file, source, length, 0);
        long headerBytes = length.getLong(0);
        long most = Math.min(size - 8, MAX_HEADER_BYTES);
        if (headerBytes < 2 || headerBytes > most) {
            throw new CheckpointException(file, "the header must have 2 to " + most + " bytes, the file says "
                    + Long.toUnsignedString(headerBytes) + "; it is truncated or no safetensors file");
        }
        ByteBuffer text = ByteBuffer.allocate((int) headerBytes);
        readFully(file, source, text, 8);
        return text;
    }

    private static void readFully(Path file, Source source, ByteBuffer into, long position) throws IOException {
        long at = position;
        while (into.hasRemaining()) {
            int read = source.read(into, at);
            if (read < 0) {
                throw new CheckpointException(file,
                        "ended at byte " + at + ", " + into.remaining() + " bytes too early");
            }
            at += read;
        }
        into.flip();
    }

    private static List<Entry> entries(Path file, JsonNode header, long dataBytes) throws CheckpointException {
        if (header.size() > MAX_TENSORS) {
            throw new CheckpointException(file, "at most " + MAX_TENSORS + " tensors, got " + header.size());
        }
        List<Entry> entries = new ArrayList<>();
        for (Map.Entry<String, JsonNode> property : header.properties()) {
            if (!property.getKey().equals(METADATA)) {
                entries.add(entry(file, property.getKey(), property.getValue()));
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

    private static Entry entry(Path file, String name, JsonNode node) throws CheckpointException {
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
            if (bytes > Integer.MAX_VALUE - 64) {
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

    /** A tensor by name.
     *
     * @param name its name
     * @return the tensor
     * @throws CheckpointException if there is none; the message has the nearest name */
    public Tensor get(String name) throws CheckpointException {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            String nearest = tensors.keySet().stream().limit(MAX_COMPARED)
                    .filter(other -> other.length() <= MAX_COMPARED_LENGTH)
                    .min(Comparator.comparingInt(other -> distance(name, other)))
                    .map(other -> ", nearest name " + other).orElse("");
            throw new CheckpointException(file,
                    "tensor " + name + " missing; found " + tensors.size() + " tensors" + nearest);
        }
        return tensor;
    }

    /** The numbers of a float tensor.
     *
     * @param name  of the tensor
     * @param shape that it must have
     * @param most  the largest magnitude to accept
     * @return its elements in row order
     * @throws CheckpointException if it is missing, of another shape or type, or has a number that is not finite or larger */
    public float[] floats(String name, List<Integer> shape, float most) throws CheckpointException {
        float[] values;
        try {
            values = get(name, shape).floats();
        } catch (IllegalStateException e) {
            throw new CheckpointException(file, "tensor " + name + ": " + e.getMessage(), e);
        }
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new CheckpointException(file,
                        "tensor " + name + ": every number must be finite, got " + values[i] + " at element " + i);
            }
            if (Math.abs(values[i]) > most) {
                throw new CheckpointException(file, "tensor " + name + ": every number must be at most " + most
                        + " in magnitude, got " + values[i] + " at element " + i);
            }
        }
        return values;
    }

    /** A tensor by name and shape.
     *
     * @param name  its name
     * @param shape that it must have
     * @return the tensor
     * @throws CheckpointException if there is none, or it has another shape */
    Tensor get(String name, List<Integer> shape) throws CheckpointException {
        Tensor tensor = get(name);
        if (!tensor.shape().equals(shape.stream().map(Integer::longValue).toList())) {
            throw new CheckpointException(file,
                    "tensor " + name + " must have shape " + shape + ", got " + tensor.type() + " " + tensor.shape());
        }
        return tensor;
    }

    /** Levenshtein's distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j - 1], diagonal));
            }
        }
        return row[b.length()];
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
