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
 * Ternary sums by look-up in tables of 16 bytes, additions only, on vectors of 128 bits: what AVX2 and NEON do in one
 * instruction. Naive twin: {@code NaiveKernels.sums}.
 *
 * <p>Two inputs form a group; their nine possible signed sums are a table. A byte holds the codes of two groups,
 * 3 (w0 + 1) + (w1 + 1) in its lower and in its upper half. An input x is split, x = 16 hi + lo with lo in [-8, 7], so that sums
 * fit a byte; an entry carries a bias of 16 that makes it positive. Six groups (twelve inputs) sum to at most 192 in a byte
 * and are then widened to 16 bits, and after {@value #FLUSH} twelves to 32, before those overflow.
 */
final class Lut128 extends ByteLut {
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_128;
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_128;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_128;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
    private static final VectorOperators.Conversion<Integer, Float> TO_FLOAT = VectorOperators.I2F;

    private static final int LANES = 16;
    private static final int TWELVE = 12;
    private static final int GROUPS = 6;
    private static final int GROUP_TABLES = 2 * LANES; // of lower and of upper halves
    private static final int BIAS = 16;
    private static final int FLUSH = 340; // 192 * 340 fits 16 bits without a sign

    static final Int8Input.Tables TABLES = new Tables();

    private final int twelves;

    Lut128(Kernels.Codes ternary, int rows, int columns) {
        super(ternary, rows, columns, LANES, 3 * Math.ceilDiv(columns, TWELVE), new Pairs());
        twelves = Math.ceilDiv(columns, TWELVE);
    }

    private static final class Pairs implements Code {
        @Override
        public int inputs() {
            return 4;
        }

        @Override
        public byte encode(byte[] w, int at) {
            return (byte) (3 * w[at] + w[at + 1] + 4 | 3 * w[at + 2] + w[at + 3] + 4 << 4);
        }

        @Override
        public byte decode(byte of, int input) {
            int pair = of >> 4 * (input / 2) & 15;
            return (byte) ((input % 2 == 0 ? pair / 3 : pair % 3) - 1);
        }
    }

    @Override
    public String kernel() {
        return "lut128";
    }

    @Override
    Int8Input.Tables tables() {
        return TABLES;
    }

    @Override
    void blocks(MemorySegment codes, long codesAt, MemorySegment tables, long tablesAt, float factor, float[] y,
            int yOffset, int blocks) {
        blocks(codes, codesAt, tables, tablesAt, twelves, factor, y, yOffset, blocks);
    }

    // length: as in Lut16, loads are written out and vectors stay in one method
    /** Some blocks of 16 rows. */
    private static void blocks(MemorySegment codes, long codesAt, MemorySegment tables, long tablesAt, int twelves,
            float factor, float[] y, int yOffset, int blocks) {
        long p = codesAt;
        for (int block = 0, yAt = yOffset; block < blocks; block++, yAt += LANES) {
            IntVector e0 = IntVector.zero(INTS);
            IntVector e1 = e0;
            IntVector e2 = e0;
            IntVector e3 = e0;
            long q = tablesAt;
            for (int twelve = 0; twelve < twelves;) {
                int end = Math.min(twelves, twelve + FLUSH);
                int bias = BIAS * GROUPS * 17 * (end - twelve);
                ShortVector lowAll = ShortVector.zero(SHORTS);
                ShortVector lowOdd = lowAll;
                ShortVector highAll = lowAll;
                ShortVector highOdd = lowAll;
                for (; twelve < end; twelve++) {
                    ByteVector low = ByteVector.zero(BYTES);
                    ByteVector high = low;
                    for (int four = 0; four < 3; four++, p += LANES, q += 2 * GROUP_TABLES) {
                        ByteVector c = ByteVector.fromMemorySegment(BYTES, codes, p, ORDER);
                        ByteVector d = c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 4).reinterpretAsBytes();
                        low = low.add(c.selectFrom(ByteVector.fromMemorySegment(BYTES, tables, q, ORDER)))
                                .add(d.selectFrom(ByteVector.fromMemorySegment(BYTES, tables, q + 32, ORDER)));
                        high = high.add(c.selectFrom(ByteVector.fromMemorySegment(BYTES, tables, q + 16, ORDER)))
                                .add(d.selectFrom(ByteVector.fromMemorySegment(BYTES, tables, q + 48, ORDER)));
                    }
                    lowAll = lowAll.add(low.reinterpretAsShorts());
                    lowOdd = lowOdd
                            .add(low.reinterpretAsInts().lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts());
                    highAll = highAll.add(high.reinterpretAsShorts());
                    highOdd = highOdd
                            .add(high.reinterpretAsInts().lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts());
                }
                // Bytes 0 to 3 of an int, as in Lut256.
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
            ((FloatVector) e1.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt + 4);
            ((FloatVector) e2.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt + 8);
            ((FloatVector) e3.convert(TO_FLOAT, 0)).mul(factor).intoArray(y, yAt + 12);
        }
    }
    // length ends

    /** For each two inputs a table of nine sums of lower halves, and one of upper ones. */
    private static final class Tables implements Int8Input.Tables {
        private static final int INPUTS = 6; // of a window: three groups
        // Lanes 0 to 5 are the inputs, 6 to 11 their negatives, the rest is zero.
        private static final byte[] WINDOW = lanes(LANES, lane -> lane % INPUTS);
        private static final byte[] KEEP = lanes(LANES, lane -> lane < 2 * INPUTS ? -1 : 0);
        private static final byte[] FLIP = lanes(LANES, lane -> lane >= INPUTS && lane < 2 * INPUTS ? -1 : 0);
        private static final byte[][] PICKS = picks();

        /** For each input, the lane of the window that an entry takes: the input, its negative, or zero. */
        private static byte[][] picks() {
            byte[][] picks = new byte[INPUTS][];
            for (int input = 0; input < INPUTS; input++) {
                int plus = input;
                picks[input] = lanes(LANES, entry -> {
                    int digit = entry >= 9 ? 1 : plus % 2 == 0 ? entry / 3 : entry % 3;
                    return digit == 2 ? plus : digit == 0 ? INPUTS + plus : 2 * INPUTS;
                });
            }
            return picks;
        }

        @Override
        public long bytes(int columns) {
            return (long) Math.ceilDiv(columns, TWELVE) * GROUPS * GROUP_TABLES;
        }

        // An input behind the last column is some other number; the weights there are 0, so nobody looks it up.
        @Override
        public void build(byte[] codes, int offset, int columns, MemorySegment tables, long at) {
            ByteVector window = ByteVector.fromArray(BYTES, WINDOW, 0);
            ByteVector keep = ByteVector.fromArray(BYTES, KEEP, 0);
            ByteVector flip = ByteVector.fromArray(BYTES, FLIP, 0);
            // A load that nobody uses, see Lut16.
            ByteVector.fromMemorySegment(BYTES, tables, at, ORDER);
            long end = at + bytes(columns);
            long to = at;
            for (int from = offset; to < end; from += INPUTS) {
                ByteVector x = window.selectFrom(ByteVector.fromArray(BYTES, codes, from)).and(keep)
                        .lanewise(VectorOperators.XOR, flip).sub(flip);
                // x = 16 hi + lo with lo in [-8, 7]: hi = (x >> 4) + bit 3 of x, and both with half of the bias, 8.
                // Shifts of bytes compile badly.
                IntVector wide = x.reinterpretAsInts();
                ByteVector low = x.add((byte) 8).and((byte) 15);
                ByteVector high = wide.lanewise(VectorOperators.LSHR, 4).reinterpretAsBytes().and((byte) 15)
                        .lanewise(VectorOperators.XOR, (byte) 8)
                        .add(wide.lanewise(VectorOperators.LSHR, 3).reinterpretAsBytes().and((byte) 1));
                for (int input = 0; input < INPUTS; input += 2, to += GROUP_TABLES) {
                    ByteVector first = ByteVector.fromArray(BYTES, PICKS[input], 0);
                    ByteVector second = ByteVector.fromArray(BYTES, PICKS[input + 1], 0);
                    first.selectFrom(low).add(second.selectFrom(low)).intoMemorySegment(tables, to, ORDER);
                    first.selectFrom(high).add(second.selectFrom(high)).intoMemorySegment(tables, to + LANES, ORDER);
                }
            }
        }
    }
}
