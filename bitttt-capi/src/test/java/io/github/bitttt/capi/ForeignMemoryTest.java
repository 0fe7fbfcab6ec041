package io.github.bitttt.capi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ForeignMemoryTest {
    /** A message is cut between characters and stays within its room. */
    @ParameterizedTest
    @CsvSource({"abc,10,abc", "abcdef,4,abc", "añb,3,a", "añb,4,añ", "a🐈b,5,a", "a🐈b,6,a🐈", "ñ,2,''"})
    void messagesAreCutBetweenCharacters(String message, int capacity, String expected) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment room = arena.allocate(capacity + 1L);
            room.fill((byte) 7);
            ForeignMemory.writeMessage(message, room.address(), capacity);
            assertThat(room.getString(0)).isEqualTo(expected);
            assertThat(room.get(ValueLayout.JAVA_BYTE, capacity)).isEqualTo((byte) 7);
        }
    }

    @Test
    void textIsWrittenWhereItFits() {
        byte[] text = "añb".getBytes(StandardCharsets.UTF_8);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment room = arena.allocate(8);
            MemorySegment length = arena.allocate(8);
            room.fill((byte) 7);
            assertThatExceptionOfType(CallException.class)
                    .isThrownBy(() -> ForeignMemory.writeText(text, room.address(), 4, length.address()))
                    .withMessage("the buffer must hold 5 bytes, its NUL included, got room for 4");
            assertThat(length.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(4);
            assertThat(room.get(ValueLayout.JAVA_BYTE, 0)).isEqualTo((byte) 7);
            ForeignMemory.writeText(text, room.address(), 5, length.address());
            assertThat(room.getString(0)).isEqualTo("añb");
            assertThat(room.get(ValueLayout.JAVA_BYTE, 5)).isEqualTo((byte) 7);
            // No buffer: only the length is asked for.
            ForeignMemory.writeText(text, 0, 0, length.address());
            assertThat(ForeignMemory.text(room.address(), 4)).isEqualTo("añb");
        }
    }

    @Test
    void countsHaveNoSign() {
        assertThat(ForeignMemory.count("floats", 5)).isEqualTo(5);
        assertThatIllegalArgumentException().isThrownBy(() -> ForeignMemory.count("floats", -1))
                .withMessage("the number of floats must be 0 to 2^31 - 64, got 18446744073709551615");
    }
}
