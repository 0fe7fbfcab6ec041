package io.github.bitttt.llama.adapt;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Where the numbers of a memory go to or come from, one after the other: the order is written down once, for both ways. */
abstract sealed class StatePort {
    /** Passes numbers of magnitude at most {@code most}. */
    abstract void floats(float[] values, double most);

    /** Passes whole numbers from 0 to {@code most}. */
    abstract void ints(int[] values, int most);

    abstract void shorts(short[] values);

    abstract void bytes(byte[] values);

    /** Passes one number.
     *  @return the one that counts from here on */
    abstract double number(double value, double least, double most);

    /** Passes a number that both sides must have. */
    final void same(String what, double value) {
        double found = number(value, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY);
        if (found != value) {
            throw new IllegalArgumentException("output memory: its " + what + " is " + found + ", here it is " + value
                    + "; open the session with the same OutputMemory");
        }
    }

    private static ByteBuffer buffer(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** Counts the bytes, and writes them if there is room. */
    static final class Out extends StatePort {
        private final ByteBuffer out;
        private long size;

        Out() {
            out = buffer(new byte[0]);
        }

        Out(byte[] to) {
            out = buffer(to);
        }

        int size() {
            return Math.toIntExact(size);
        }

        private boolean has(long bytes) {
            size += bytes;
            return size <= out.capacity();
        }

        @Override
        void floats(float[] values, double most) {
            if (has(4L * values.length)) {
                out.asFloatBuffer().put(values);
                out.position(out.position() + 4 * values.length);
            }
        }

        @Override
        void ints(int[] values, int most) {
            if (has(4L * values.length)) {
                out.asIntBuffer().put(values);
                out.position(out.position() + 4 * values.length);
            }
        }

        @Override
        void shorts(short[] values) {
            if (has(2L * values.length)) {
                out.asShortBuffer().put(values);
                out.position(out.position() + 2 * values.length);
            }
        }

        @Override
        void bytes(byte[] values) {
            if (has(values.length)) {
                out.put(values);
            }
        }

        @Override
        double number(double value, double least, double most) {
            if (has(8)) {
                out.putDouble(value);
            }
            return value;
        }
    }

    /** Reads and checks. */
    static final class In extends StatePort {
        private final ByteBuffer in;

        In(byte[] from) {
            in = buffer(from);
        }

        private void need(long bytes) {
            if (in.remaining() < bytes) {
                throw new IllegalArgumentException("output memory: it ends after " + in.capacity() + " bytes, "
                        + (bytes - in.remaining()) + " more are needed at least");
            }
        }

        void end() {
            if (in.hasRemaining()) {
                throw new IllegalArgumentException("output memory: " + in.remaining() + " bytes follow its end");
            }
        }

        private static void check(double value, double least, double most) {
            if (!(value >= least && value <= most)) {
                throw new IllegalArgumentException(
                        "output memory: a number must be from " + least + " to " + most + ", got " + value);
            }
        }

        @Override
        void floats(float[] values, double most) {
            need(4L * values.length);
            in.asFloatBuffer().get(values);
            in.position(in.position() + 4 * values.length);
            for (float value : values) {
                check(value, -most, most);
            }
        }

        @Override
        void ints(int[] values, int most) {
            need(4L * values.length);
            in.asIntBuffer().get(values);
            in.position(in.position() + 4 * values.length);
            for (int value : values) {
                check(value, 0, most);
            }
        }

        @Override
        void shorts(short[] values) {
            need(2L * values.length);
            in.asShortBuffer().get(values);
            in.position(in.position() + 2 * values.length);
        }

        @Override
        void bytes(byte[] values) {
            need(values.length);
            in.get(values);
        }

        @Override
        double number(double value, double least, double most) {
            need(8);
            double found = in.getDouble();
            check(found, least, most);
            return found;
        }
    }
}
