package io.github.bitttt.llama.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * One tensor of a file: its type, shape and raw bytes.
 *
 * @param type  of an element
 * @param shape dimensions, none for a single number
 * @param data  little endian, in row order
 */
public record Tensor(Type type, List<Long> shape, MemorySegment data) {
    private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED
            .withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Element types, by their names in the file. */
    public enum Type {
        /** 32-bit float. */
        F32(32),
        /** Brain float: the upper half of a 32-bit float. */
        BF16(16),
        /** 16-bit float. */
        F16(16),
        /** 64-bit float. */
        F64(64),
        /** Unsigned byte. */
        U8(8),
        /** Signed byte. */
        I8(8),
        /** 16-bit integer. */
        I16(16),
        /** 16-bit integer without a sign. */
        U16(16),
        /** 32-bit integer. */
        I32(32),
        /** 32-bit integer without a sign. */
        U32(32),
        /** 64-bit integer. */
        I64(64),
        /** 64-bit integer without a sign. */
        U64(64),
        /** A byte that is 0 or 1. */
        BOOL(8),
        /** 8-bit float of 5 bits of exponent. */
        F8_E5M2(8),
        /** 8-bit float of 4 bits of exponent. */
        F8_E4M3(8),
        /** 8-bit float of 5 bits of exponent, without infinities. */
        F8_E5M2FNUZ(8),
        /** 8-bit float of 4 bits of exponent, without infinities. */
        F8_E4M3FNUZ(8),
        /** A scale: a power of two. */
        F8_E8M0(8),
        /** 6-bit float of 2 bits of exponent. */
        F6_E2M3(6),
        /** 6-bit float of 3 bits of exponent. */
        F6_E3M2(6),
        /** 4-bit float, two in a byte. */
        F4(4),
        /** Two 32-bit floats. */
        C64(64);

        private final int bits;

        Type(int bits) {
            this.bits = bits;
        }

        /** The size of an element.
         *  @return bits */
        public int bits() {
            return bits;
        }
    }

    /** Checks that the bytes are as many as type and shape say. */
    public Tensor {
        shape = List.copyOf(shape);
        long expected = size(type, shape);
        if (data.byteSize() != expected) {
            throw new IllegalArgumentException(
                    type + " " + shape + " takes " + expected + " bytes, got " + data.byteSize());
        }
    }

    /** What a tensor takes.
     *
     * @param type  of an element
     * @param shape dimensions
     * @return bytes, the last one perhaps in part
     * @throws ArithmeticException if its bits are no long */
    static long size(Type type, List<Long> shape) {
        return Math.ceilDiv(Math.multiplyExact(length(shape), type.bits()), Byte.SIZE);
    }

    /** The number of elements of a shape.
     *
     * @param shape dimensions
     * @return their product
     * @throws ArithmeticException if that is no long */
    static long length(List<Long> shape) {
        long length = 1;
        for (long size : shape) {
            length = Math.multiplyExact(length, size);
        }
        return length;
    }

    /** A float tensor.
     *
     * @param values in row order
     * @param shape  dimensions
     * @return F32, a tensor over the array */
    public static Tensor of(float[] values, long... shape) {
        // No copy, for a training state is large; in the machine's byte order, which is little endian wherever ND4J runs.
        return new Tensor(Type.F32, Arrays.stream(shape).boxed().toList(), MemorySegment.ofArray(values));
    }

    /** A byte tensor.
     *
     * @param type   U8 or I8
     * @param values in row order
     * @param shape  dimensions
     * @return a tensor over the array */
    public static Tensor of(Type type, byte[] values, long... shape) {
        return new Tensor(type, Arrays.stream(shape).boxed().toList(), MemorySegment.ofArray(values));
    }

    /** The elements as floats.
     *
     * @return a new array
     * @throws IllegalStateException if this is no F32, F16 or BF16 tensor, or has too many elements for an array */
    public float[] floats() {
        checkArray(length(shape));
        float[] values = new float[(int) length(shape)];
        switch (type) {
            case F32 -> MemorySegment.copy(data, FLOAT, 0, values, 0, values.length);
            case F16 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = Float.float16ToFloat(data.getAtIndex(SHORT, i));
                }
            }
            case BF16 -> {
                for (int i = 0; i < values.length; i++) {
                    values[i] = Float.intBitsToFloat(data.getAtIndex(SHORT, i) << 16);
                }
            }
            default -> throw new IllegalStateException("a float tensor (F32, F16, BF16) is needed, got " + type);
        }
        return values;
    }

    /** Some elements as floats, of a row for instance.
     *
     * @param first of them
     * @param to    receives as many as it has room for
     * @throws IllegalStateException     if this is no F32, F16 or BF16 tensor
     * @throws IndexOutOfBoundsException if there are not so many */
    void floats(long first, float[] to) {
        for (int i = 0; i < to.length; i++) {
            to[i] = switch (type) {
                case F32 -> data.getAtIndex(FLOAT, first + i);
                case F16 -> Float.float16ToFloat(data.getAtIndex(SHORT, first + i));
                case BF16 -> Float.intBitsToFloat(data.getAtIndex(SHORT, first + i) << 16);
                default -> throw new IllegalStateException("a float tensor (F32, F16, BF16) is needed, got " + type);
            };
        }
    }

    /** The elements as bytes.
     *
     * @return a new array
     * @throws IllegalStateException if this is no U8 or I8 tensor */
    public byte[] bytes() {
        if (type != Type.U8 && type != Type.I8) {
            throw new IllegalStateException("a byte tensor (U8, I8) is needed, got " + type);
        }
        checkArray(data.byteSize());
        return data.toArray(ValueLayout.JAVA_BYTE);
    }

    private static void checkArray(long length) {
        if (length > Integer.MAX_VALUE - 64) {
            throw new IllegalStateException("an array has fewer than 2^31 - 64 elements, got " + length);
        }
    }
}
