package io.github.bitttt.llama.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * One tensor of a safetensors file: its type, shape and raw bytes.
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
        F32(4),
        /** Brain float: the upper half of a 32-bit float. */
        BF16(2),
        /** 16-bit float. */
        F16(2),
        /** 64-bit float. */
        F64(8),
        /** Unsigned byte. */
        U8(1),
        /** Signed byte. */
        I8(1),
        /** 32-bit integer. */
        I32(4),
        /** 64-bit integer. */
        I64(8);

        private final int bytes;

        Type(int bytes) {
            this.bytes = bytes;
        }

        /** The size of an element.
         *  @return bytes */
        public int bytes() {
            return bytes;
        }
    }

    /** Checks that the bytes are as many as type and shape say. */
    public Tensor {
        shape = List.copyOf(shape);
        long expected = length(shape) * type.bytes();
        if (data.byteSize() != expected) {
            throw new IllegalArgumentException(
                    type + " " + shape + " takes " + expected + " bytes, got " + data.byteSize());
        }
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
     * @throws IllegalStateException if this is no F32, F16 or BF16 tensor */
    public float[] floats() {
        float[] values = new float[(int) (data.byteSize() / type.bytes())];
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

    /** The elements as bytes.
     *
     * @return a new array
     * @throws IllegalStateException if this is no U8 or I8 tensor */
    public byte[] bytes() {
        if (type.bytes() != 1) {
            throw new IllegalStateException("a byte tensor (U8, I8) is needed, got " + type);
        }
        return data.toArray(ValueLayout.JAVA_BYTE);
    }
}
