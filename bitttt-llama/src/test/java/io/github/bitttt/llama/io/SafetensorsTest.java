package io.github.bitttt.llama.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SafetensorsTest {
    @TempDir
    private Path folder;

    private Path file(String header, int dataBytes) throws IOException {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        ByteBuffer bytes = ByteBuffer.allocate(8 + text.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
        return Files.write(folder.resolve("x.safetensors"), bytes.putLong(text.length).put(text).array());
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("a", Tensor.of(new float[]{1, -2.5f, Float.MIN_VALUE}, 3, 1));
        tensors.put("b", Tensor.of(Tensor.Type.I8, new byte[]{1, 2, 3, 4, 5}, 5));
        Path path = folder.resolve("y.safetensors");
        Safetensors.write(path, tensors, Map.of("seed", "7"));
        Safetensors read = Safetensors.read(path);
        assertThat(read.get("a").floats()).containsExactly(1, -2.5f, Float.MIN_VALUE);
        assertThat(read.get("b").bytes()).containsExactly(1, 2, 3, 4, 5);
        assertThat(read.metadata()).isEqualTo(Map.of("seed", "7"));
        assertThat(Files.list(folder)).containsExactly(path);
    }

    @Test
    void halfFloatsAreWidened() throws IOException {
        ByteBuffer data = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putShort((short) 0x3F80)
                .putShort((short) 0xC000).flip();
        assertThat(new Tensor(Tensor.Type.BF16, java.util.List.of(2L), MemorySegment.ofBuffer(data)).floats())
                .containsExactly(1, -2);
        ByteBuffer half = ByteBuffer.allocate(6).order(ByteOrder.LITTLE_ENDIAN).putShort((short) 0x3C00)
                .putShort((short) 0xC100).putShort((short) 1).flip();
        assertThat(new Tensor(Tensor.Type.F16, java.util.List.of(3L), MemorySegment.ofBuffer(half)).floats())
                .containsExactly(1, -2.5f, 0x1p-24f);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
            "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}} | 4 | tensor a: F32 [2] takes 8 bytes, data_offsets give it 4",
            "{\"a\":{\"dtype\":\"F99\",\"shape\":[1],\"data_offsets\":[0,4]}} | 4 | tensor a: dtype must be one of [F32, BF16, F16, F64, U8, I8, I16, U16, I32, U32, I64, U64, BOOL, F8_E5M2, F8_E4M3, F8_E5M2FNUZ, F8_E4M3FNUZ, F8_E8M0, F6_E2M3, F6_E3M2, F4, C64], got \"F99\"",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}} | 6 | tensor b begins at byte 2, but 4 is where the one before it ends; tensors may neither overlap nor leave gaps",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}} | 3 | the header promises 4 bytes of tensors, the file has 3; it is truncated or has something behind its end",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]}} | 4 | tensor a: shape [4294967296, 4294967296] is too large",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,4]}} | 4 | tensor a: shape must be a list of at most 8 whole numbers from 0, got [-1]",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[4,3]}} | 4 | tensor a: data_offsets must be [begin, end], got [4, 3]",
            "[1] | 0 | the header must be a JSON object, got ARRAY",
            "{\"__metadata__\":{\"x\":1}} | 0 | __metadata__.x must be text, got 1"})
    void liesAreNamed(String header, int dataBytes, String message) throws IOException {
        Path path = file(header, dataBytes);
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Safetensors.read(path))
                .withMessage(path + ": " + message);
    }

    @Test
    void duplicateNamesAndBrokenJsonAreNamed() throws IOException {
        Path twice = file("{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},\"a\":1}", 0);
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Safetensors.read(twice))
                .withMessageContaining("the header is not valid JSON: Duplicate field 'a'");
        Path deep = file("{\"a\":" + "[".repeat(2000), 0);
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Safetensors.read(deep))
                .withMessageContaining("the header is not valid JSON");
    }

    @Test
    void headersLongerThanTheFileAreNamed() throws IOException {
        Path path = folder.resolve("z.safetensors");
        Files.write(path, ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putLong(1L << 60).array());
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Safetensors.read(path)).withMessage(path
                + ": the header must have 2 to 4 bytes, the file says 1152921504606846976; it is truncated or no safetensors file");
        Files.write(path, new byte[3]);
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> Safetensors.read(path))
                .withMessage(path + ": a safetensors file begins with 8 bytes of header length, got 3 bytes in all");
    }

    @Test
    void aMissingTensorIsNamedWithItsNearest() throws IOException {
        Path path = file("{\"layers.0.ttt.down_proj.weight\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
                0);
        Safetensors read = Safetensors.read(path);
        assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> read.get("layers.0.ttt.down.weight"))
                .withMessage(path + ": tensor layers.0.ttt.down.weight missing; found 1 tensors, nearest name "
                        + "layers.0.ttt.down_proj.weight");
    }

    @Test
    void aFailedWriteLeavesTheOldFile() throws IOException {
        Path path = Files.writeString(folder.resolve("old.txt"), "old");
        assertThatExceptionOfType(IOException.class).isThrownBy(() -> AtomicFile.write(path, channel -> {
            channel.write(ByteBuffer.wrap(new byte[]{1, 2, 3}));
            throw new IOException("No space left on device");
        })).withMessage("No space left on device");
        assertThat(path).hasContent("old");
        assertThat(Files.list(folder)).containsExactly(path);
    }

    @Test
    void theNearestNameIsTheOneWithTheFewestChanges() throws IOException {
        String empty = "\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}";
        Safetensors read = Safetensors
                .read(file("{\"norm" + empty + ",\"embed.wieght" + empty + ",\"head.weight" + empty
                        + ",\"" + "embed.weight".repeat(9) + empty + "}", 0));
        for (String[] pair : new String[][]{{"embed.weight", "embed.wieght"}, {"head_weight", "head.weight"},
                {"nor", "norm"}}) {
            assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> read.get(pair[0]))
                    .withMessageEndingWith("tensor " + pair[0] + " missing; found 4 tensors, nearest name " + pair[1]);
        }
    }

    @Test
    void tensorsMayComeInAnyOrder() throws IOException {
        Path path = file("{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]},"
                + "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 3);
        assertThat(Safetensors.read(path).tensors().sequencedKeySet()).containsExactly("a", "b");
    }

    /** Types that no weight has may stand beside those that are used, and so may metadata that is null. */
    @Test
    void otherLegalTypesAreRead() throws IOException {
        StringBuilder header = new StringBuilder("{\"__metadata__\":null");
        int end = 0;
        for (Tensor.Type type : Tensor.Type.values()) {
            int to = end + type.bits(); // eight elements
            header.append(",\"%s\":{\"dtype\":\"%s\",\"shape\":[2,4],\"data_offsets\":[%d,%d]}".formatted(type, type,
                    end, to));
            end = to;
        }
        Safetensors read = Safetensors.read(file(header + "}", end));
        assertThat(read.tensors()).hasSize(Tensor.Type.values().length);
        assertThat(read.metadata()).isEmpty();
        for (Tensor.Type type : java.util.List.of(Tensor.Type.BOOL, Tensor.Type.F8_E4M3, Tensor.Type.F4)) {
            assertThatIllegalStateException().isThrownBy(() -> read.get(type.name()).bytes())
                    .withMessage("a byte tensor (U8, I8) is needed, got " + type);
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> read.floats(type.name(), java.util.List.of(2, 4), 1)).withMessage(read.file()
                            + ": tensor " + type + ": a float tensor (F32, F16, BF16) is needed, got " + type);
        }
        assertThat(Safetensors.read(file("{\"__metadata__\":{\"a\":null,\"b\":\"c\"}}", 0)).metadata())
                .isEqualTo(Map.of("b", "c"));
    }
}
