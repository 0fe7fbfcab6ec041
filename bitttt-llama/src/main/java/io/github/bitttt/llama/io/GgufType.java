package io.github.bitttt.llama.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;

/**
 * How the numbers of a GGUF tensor are laid out: in blocks of so many numbers and bytes, each block by itself.
 *
 * <p>Ternary types hold codes -1, 0, 1 and a scale for each block; the others hold numbers. {@link #I2_S} has one scale behind all of its
 * codes, see {@link GgufTensor}. Sources: ggml's {@code ggml-common.h} and {@code ggml-quants.c} (Q8_0, Q6_K, TQ1_0, TQ2_0, Q2_0), bitnet.cpp's
 * {@code ggml-bitnet-mad.cpp} (I2_S), Prism's fork (PQ2_0, PTQ1_0).
 */
enum GgufType {
    /** 32-bit floats. */
    F32(0, 1, 4),
    /** 16-bit floats. */
    F16(1, 1, 2),
    /** 32 int8 codes behind an F16 scale. */
    Q8_0(8, 32, 34),
    /** 256 codes of 6 bits: 128 bytes of lower halves, 64 of upper ones, 16 int8 scales, an F16 scale of these. */
    Q6_K(14, 256, 210),
    /** Brain floats. */
    BF16(30, 1, 2),
    /** 256 ternary codes, five in a byte, and an F16 scale. */
    TQ1_0(34, 256, 54),
    /** 256 ternary codes, four in a byte, and an F16 scale. */
    TQ2_0(35, 256, 66),
    /** Ternary codes in runs of 128, four in a byte; the scale, F32, and 28 bytes of nothing stand behind the last. */
    I2_S(36, 128, 32),
    /** 64 ternary codes, four in a byte, behind an F16 scale. */
    Q2_0(42, 64, 18),
    /** The same of 128, written with the id of {@link #Q2_0} by older programs: sizes tell them apart. */
    PQ2_0(142, 128, 34),
    /** 128 ternary codes, five in a byte, and an F16 scale. */
    PTQ1_0(143, 128, 28);

    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;
    private static final int[] POWERS_OF_3 = {1, 3, 9, 27, 81};

    private final int id;
    private final int numbers;
    private final int bytes;

    GgufType(int id, int numbers, int bytes) {
        this.id = id;
        this.numbers = numbers;
        this.bytes = bytes;
    }

    /** The type of an id, if it is one that is read. */
    static Optional<GgufType> of(int id) {
        return Arrays.stream(values()).filter(type -> type.id == id).findFirst();
    }

    /** The type's number in a file. */
    int id() {
        return id;
    }

    /** Numbers of a block. */
    int numbers() {
        return numbers;
    }

    /** Bytes of a block. */
    int bytes() {
        return bytes;
    }

    boolean ternary() {
        return id >= TQ1_0.id;
    }

    /** Whether models of this type are meant to have activations that are not rounded. */
    boolean floatInputs() {
        return this == Q2_0 || this == PQ2_0 || this == PTQ1_0;
    }

    /** The scale of a ternary block. */
    float scale(MemorySegment data, long at) {
        return switch (this) {
            case Q2_0, PQ2_0 -> half(data, at);
            case TQ1_0, TQ2_0, PTQ1_0 -> half(data, at + bytes - 2);
            default -> throw new IllegalStateException(this + " has no scale in its blocks");
        };
    }

    /** Reads the ternary codes of a block. Code 3 of two bits comes out as 2, which no matrix accepts, but in I2_S, where it is 0. */
    void codes(MemorySegment data, long at, byte[] codes, int offset) {
        switch (this) {
            case TQ1_0 -> {
                trits(data, at, 32, 5, codes, offset);
                trits(data, at + 32, 16, 5, codes, offset + 160);
                trits(data, at + 48, 4, 4, codes, offset + 240);
            }
            case PTQ1_0 -> {
                trits(data, at, 16, 5, codes, offset);
                trits(data, at + 16, 8, 5, codes, offset + 80);
                trits(data, at + 24, 2, 4, codes, offset + 120);
            }
            case TQ2_0 -> {
                for (int j = 0; j < numbers; j++) {
                    int bits = data.get(BYTE, at + 32 * (j / 128) + j % 32) >> 2 * (j % 128 / 32) & 3;
                    codes[offset + j] = (byte) (bits - 1);
                }
            }
            case I2_S -> {
                for (int j = 0; j < numbers; j++) {
                    int bits = data.get(BYTE, at + j % 32) >> 6 - 2 * (j / 32) & 3;
                    codes[offset + j] = (byte) (bits == 3 ? 0 : bits - 1);
                }
            }
            case Q2_0, PQ2_0 -> {
                for (int j = 0; j < numbers; j++) {
                    codes[offset + j] = (byte) ((data.get(BYTE, at + 2 + j / 4) >> 2 * (j % 4) & 3) - 1);
                }
            }
            default -> throw new IllegalStateException(this + " is not ternary");
        }
    }

    /** Bytes that carry a number of base 3 each, as a fraction of 256: digit i of carrier m is element carriers * i + m. */
    private static void trits(MemorySegment data, long at, int carriers, int digits, byte[] codes, int offset) {
        for (int m = 0; m < carriers; m++) {
            int carrier = data.get(BYTE, at + m);
            for (int i = 0; i < digits; i++) {
                codes[offset + carriers * i + m] = (byte) (((carrier * POWERS_OF_3[i] & 255) * 3 >> 8) - 1);
            }
        }
    }

    /** Reads the numbers of a block. */
    void floats(MemorySegment data, long at, float[] values, int offset) {
        switch (this) {
            case F32 -> values[offset] = data.get(FLOAT, at);
            case F16 -> values[offset] = half(data, at);
            case BF16 -> values[offset] = Float.intBitsToFloat(data.get(SHORT, at) << 16);
            case Q8_0 -> {
                float scale = half(data, at);
                for (int j = 0; j < numbers; j++) {
                    values[offset + j] = scale * data.get(BYTE, at + 2 + j);
                }
            }
            case Q6_K -> {
                float scale = half(data, at + 208);
                for (int j = 0; j < numbers; j++) {
                    int part = j % 128;
                    int lower = data.get(BYTE, at + 64 * (j / 128) + part % 64) >> 4 * (part / 64) & 15;
                    int upper = data.get(BYTE, at + 128 + 32 * (j / 128) + part % 32) >> 2 * (part / 32) & 3;
                    values[offset + j] = scale * data.get(BYTE, at + 192 + j / 16) * ((lower | upper << 4) - 32);
                }
            }
            default -> throw new IllegalStateException(this + " is ternary");
        }
    }

    private static float half(MemorySegment data, long at) {
        return Float.float16ToFloat(data.get(SHORT, at));
    }
}
