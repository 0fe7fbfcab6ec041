package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.Int8Input;
import io.github.bitttt.tensor.internal.Kernels;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Ternary sums by look-up in tables of 32 bytes, additions only, on vectors of 256 bits. Naive twin:
 * {@code NaiveKernels.sums}.
 *
 * <p>AVX2 looks up 16 bytes in one instruction and 32 in five. A look-up in 32 serves three inputs and 32 rows instead of two and
 * 16, so a sum takes fewer instructions than in {@link Lut128}.
 *
 * <p>Three inputs form a group; their 27 possible signed sums are a table, and a byte holds a group's code, 9 w0 + 3 w1 + w2.
 * A negative code is stored as 16 and its opposite, so that the upper half of a table is the opposite of the lower one. An input
 * x is split, x = 16 hi + lo with lo in [-8, 7], so that sums fit a byte; an entry carries a bias of 24 that makes it positive.
 * Five groups (fifteen inputs) sum to at most 240 in a byte and are then widened to 16 bits, and after {@value #FLUSH} fifteens
 * to 32, before those overflow.
 */
final class Lut256 extends ByteLut {
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_256;
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_256;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_256;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
    private static final VectorOperators.Conversion<Integer, Float> TO_FLOAT = VectorOperators.I2F;

    private static final int LANES = 32;
    private static final int HALF = LANES / 2; // of a table
    private static final int FIFTEEN = 15;
    private static final int GROUPS = 5;
    private static final int GROUP_TABLES = 2 * LANES; // of lower and of upper halves
    private static final int BIAS = 24;
    private static final int FLUSH = 273; // 240 * 273 fits 16 bits without a sign

    static final Int8Input.Tables TABLES = new Tables();

    private final int fifteens;

    Lut256(Kernels.Codes ternary, int rows, int columns) {
        super(ternary, rows, columns, LANES, GROUPS * Math.ceilDiv(columns, FIFTEEN), new Threes());
        fifteens = Math.ceilDiv(columns, FIFTEEN);
    }

    private static final class Threes implements Code {
        @Override
        public int inputs() {
            return 3;
        }

        @Override
        public byte encode(byte[] w, int at) {
            int code = 9 * w[at] + 3 * w[at + 1] + w[at + 2];
            return (byte) (code < 0 ? HALF - code : code);
        }

        @Override
        public byte decode(byte of, int input) {
            int digits = (of >= HALF ? HALF - of : of) + 13;
            return (byte) (digits / (input == 0 ? 9 : input == 1 ? 3 : 1) % 3 - 1);
        }
    }

    @Override
    public String kernel() {
        return "lut256";
    }

    @Override
    Int8Input.Tables tables() {
        return TABLES;
    }

    @Override
    void blocks(MemorySegment codes, long codesAt, MemorySegment tables, long tablesAt, float factor, float[] y,
            int yOffset, int blocks) {
        blocks(codes, codesAt, tables, tablesAt, fifteens, factor, y, yOffset, blocks);
    }

    // length: as in Lut16, loads are written out and vectors stay in one method
    /** Some blocks of 32 rows. */
    private static void blocks(MemorySegment codes, long codesAt, MemorySegment tables, long tablesAt, int fifteens,
            float factor, float[] y, int yOffset, int blocks) {
        long p = codesAt;
        for (int block = 0, yAt = yOffset; block < blocks; block++, yAt += LANES) {
            IntVector e0 = IntVector.zero(INTS);
            IntVector e1 = e0;
            IntVector e2 = e0;
            IntVector e3 = e0;
            long q = tablesAt;
            for (int fifteen = 0; fifteen < fifteens;) {
                int end = Math.min(fifteens, fifteen + FLUSH);
                int bias = BIAS * GROUPS * 17 * (end - fifteen);
                ShortVector lowAll = ShortVector.zero(SHORTS);
                ShortVector lowOdd = lowAll;
                ShortVector highAll = lowAll;
                ShortVector highOdd = lowAll;
                for (; fifteen < end; fifteen++, p += GROUPS * LANES, q += GROUPS * GROUP_TABLES) {
                    ByteVector c = ByteVector.fromMemorySegment(BYTES, codes, p, ORDER);
                    ByteVector low = c.selectFrom(ByteVector.fromMemorySegment(BYTES, tables, q, ORDER));
                    ByteVector high = c.selectFrom(ByteVector.fromMemorySegment(BYTES, tables, q + 32, ORDER));
                    c = ByteVector.fromMemorySegment(BYTES, codes, p + 32, ORDER);
                    low = low.add(c.selectFrom(ByteVector.fromMemorySegment(BYTES, tables, q + 64, ORDER)));
                    high = high.add(c.selectFrom(ByteVector.fromMemorySegment(BYTES, tables, q + 96, ORDER)));
                    c = ByteVector.fromMemorySegment(BYTES, codes, p + 64, ORDER);
                    low = low.add(c.selectFrom(ByteVector.fromMemorySegment(BYTES, tables, q + 128, ORDER)));
                    high = high.add(c.selectFrom(ByteVector.fromMemorySegment(BYTES, tables, q + 160, ORDER)));
                    c = ByteVector.fromMemorySegment(BYTES, codes, p + 96, ORDER);
                    low = low.add(c.selectFrom(ByteVector.fromMemorySegment(BYTES, tables, q + 192, ORDER)));
                    high = high.add(c.selectFrom(ByteVector.fromMemorySegment(BYTES, tables, q + 224, ORDER)));
                    c = ByteVector.fromMemorySegment(BYTES, codes, p + 128, ORDER);
                    low = low.add(c.selectFrom(ByteVector.fromMemorySegment(BYTES, tables, q + 256, ORDER)));
                    high = high.add(c.selectFrom(ByteVector.fromMemorySegment(BYTES, tables, q + 288, ORDER)));
                    lowAll = lowAll.add(low.reinterpretAsShorts());
                    lowOdd = lowOdd
                            .add(low.reinterpretAsInts().lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts());
                    highAll = highAll.add(high.reinterpretAsShorts());
                    highOdd = highOdd
                            .add(high.reinterpretAsInts().lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts());
                }
                // Bytes 0 to 3 of an int: "all" sums 0 + 256 * 1 in its lower half and 2 + 256 * 3 in its upper one, "odd" sums
                // 1 + 256 * 2 and 3. From the last down each is what is left, modulo 2^16, when the one above it is taken away.
                IntVector la = lowAll.reinterpretAsInts();
                IntVector lo = lowOdd.reinterpretAsInts();
                IntVector ha = highAll.reinterpretAsInts();
                IntVector ho = highOdd.reinterpretAsInts();
                IntVector l = lo.lanewise(VectorOperators.LSHR, 16);
                IntVector h = ho.lanewise(VectorOperators.LSHR, 16);
                e3 = e3.add(l.add(h.lanewise(VectorOperators.LSHL, 4)).sub(bias));
                l = la.lanewise(VectorOperators.LSHR, 16).sub(l.lanewise(VectorOperators.LSHL, 8)).and(0xffff);
                h = ha.lanewise(VectorOperators.LSHR, 16).sub(h.lanewise(VectorOperators.LSHL, 8)).and(0xffff);
                e1 = e1.add(l.add(h.lanewise(VectorOperators.LSHL, 4)).sub(bias));
                l = lo.sub(l.lanewise(VectorOperators.LSHL, 8)).and(0xffff);
                h = ho.sub(h.lanewise(VectorOperators.LSHL, 8)).and(0xffff);
                e2 = e2.add(l.add(h.lanewise(VectorOperators.LSHL, 4)).sub(bias));
                l = la.sub(l.lanewise(VectorOperators.LSHL, 8)).and(0xffff);
                h = ha.sub(h.lanewise(VectorOperators.LSHL, 8)).and(0xffff);
                e0 = e0.add(l.add(h.lanewise(VectorOperators.LSHL, 4)).sub(bias));
            }
            ((FloatVector) e0.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt);
            ((FloatVector) e1.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt + 8);
            ((FloatVector) e2.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt + 16);
            ((FloatVector) e3.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt + 24);
        }
    }
    // length ends

    /** For each three inputs a table of 27 sums of lower halves, and one of upper ones; made by halves of 16 bytes, which AVX2
     * picks in one instruction. */
    private static final class Tables implements Int8Input.Tables {
        private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_128;
        private static final int INPUTS = 3;
        // Lanes 0 to 2 are the inputs, 3 to 5 their negatives, the rest is zero.
        private static final byte[] WINDOW = lanes(HALF, lane -> lane % INPUTS);
        private static final byte[] KEEP = lanes(HALF, lane -> lane < 2 * INPUTS ? -1 : 0);
        private static final byte[] FLIP = lanes(HALF, lane -> lane >= INPUTS && lane < 2 * INPUTS ? -1 : 0);
        private static final byte[][] PICKS = picks();

        /** For each input, the lane of the window that an entry of the lower half takes: the input, its negative, or zero. */
        private static byte[][] picks() {
            byte[][] picks = new byte[INPUTS][];
            for (int input = 0, power = 9; input < INPUTS; input++, power /= 3) {
                int plus = input;
                int of = power;
                picks[input] = lanes(HALF, entry -> {
                    int digit = entry < 14 ? (entry + 13) / of % 3 : 1;
                    return digit == 2 ? plus : digit == 0 ? INPUTS + plus : 2 * INPUTS;
                });
            }
            return picks;
        }

        @Override
        public long bytes(int columns) {
            return (long) Math.ceilDiv(columns, FIFTEEN) * GROUPS * GROUP_TABLES;
        }

        // An input behind the last column is some other number; the weights there are 0, so nobody looks it up.
        @Override
        public void build(byte[] codes, int offset, int columns, MemorySegment tables, long at) {
            ByteVector window = ByteVector.fromArray(BYTES, WINDOW, 0);
            ByteVector keep = ByteVector.fromArray(BYTES, KEEP, 0);
            ByteVector flip = ByteVector.fromArray(BYTES, FLIP, 0);
            ByteVector pick0 = ByteVector.fromArray(BYTES, PICKS[0], 0);
            ByteVector pick1 = ByteVector.fromArray(BYTES, PICKS[1], 0);
            ByteVector pick2 = ByteVector.fromArray(BYTES, PICKS[2], 0);
            ByteVector twice = ByteVector.broadcast(BYTES, 2 * BIAS);
            // A load that nobody uses, see Lut16.
            ByteVector.fromMemorySegment(BYTES, tables, at, ORDER);
            long end = at + bytes(columns);
            long to = at;
            for (int from = offset; to < end; from += INPUTS, to += GROUP_TABLES) {
                ByteVector x = window.selectFrom(ByteVector.fromArray(BYTES, codes, from)).and(keep)
                        .lanewise(VectorOperators.XOR, flip).sub(flip);
                // x = 16 hi + lo with lo in [-8, 7]: hi = (x >> 4) + bit 3 of x, and both with a third of the bias, 8.
                // Shifts of bytes compile badly.
                IntVector wide = x.reinterpretAsInts();
                ByteVector low = x.add((byte) 8).and((byte) 15);
                ByteVector high = wide.lanewise(VectorOperators.LSHR, 4).reinterpretAsBytes().and((byte) 15)
                        .lanewise(VectorOperators.XOR, (byte) 8)
                        .add(wide.lanewise(VectorOperators.LSHR, 3).reinterpretAsBytes().and((byte) 1));
                low = pick0.selectFrom(low).add(pick1.selectFrom(low)).add(pick2.selectFrom(low));
                high = pick0.selectFrom(high).add(pick1.selectFrom(high)).add(pick2.selectFrom(high));
                low.intoMemorySegment(tables, to, ORDER);
                twice.sub(low).intoMemorySegment(tables, to + 16, ORDER);
                high.intoMemorySegment(tables, to + 32, ORDER);
                twice.sub(high).intoMemorySegment(tables, to + 48, ORDER);
            }
        }
    }
}
