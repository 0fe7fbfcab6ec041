package io.github.bitttt.tensor.internal.simd;

import io.github.bitttt.tensor.internal.Int8Input;
import io.github.bitttt.tensor.internal.Kernels;
import io.github.bitttt.tensor.internal.NaiveKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.IntUnaryOperator;
import jdk.incubator.vector.ByteVector;
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
 *
 * <p>Weights lie by blocks of 16 rows; lane r of a block holds row (r&1) 8 + (r>>1).
 */
final class Lut128 implements Kernels.Weights {
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_128;
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_128;
    private static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;
    private static final int LANES = 16;
    private static final int ROWS = LANES;
    private static final int TWELVE = 12;
    private static final int GROUPS = 6;
    private static final int GROUP_TABLES = 2 * LANES; // of lower and of upper halves
    private static final int BIAS = 16;
    private static final int FLUSH = 340; // 192 * 340 fits 16 bits without a sign

    static final Int8Input.Tables TABLES = new Tables();

    private final MemorySegment codes;
    private final int rows;
    private final int twelves;

    Lut128(byte[] ternary, int rows, int columns) {
        this.rows = rows;
        this.twelves = Math.ceilDiv(columns, TWELVE);
        byte[] ordered = new byte[Math.multiplyExact(Math.ceilDiv(rows, ROWS) * ROWS, 3 * twelves)];
        for (int to = 0; to < ordered.length; to++) {
            int lane = to % LANES;
            int row = to / (ROWS * 3 * twelves) * ROWS + (lane & 1) * 8 + (lane >> 1);
            int column = to / ROWS % (3 * twelves) * 4;
            ordered[to] = row < rows
                    ? (byte) (pair(ternary, row, columns, column) | pair(ternary, row, columns, column + 2) << 4)
                    : 0;
        }
        codes = Arena.ofAuto().allocate(ordered.length, 64);
        MemorySegment.copy(ordered, 0, codes, ValueLayout.JAVA_BYTE, 0, ordered.length);
    }

    private static int pair(byte[] ternary, int row, int columns, int column) {
        int first = column < columns ? ternary[row * columns + column] : 0;
        int second = column + 1 < columns ? ternary[row * columns + column + 1] : 0;
        return 3 * (first + 1) + second + 1;
    }

    @Override
    public String kernel() {
        return "lut128";
    }

    @Override
    public void prepare(Int8Input x) {
        x.tables(TABLES);
    }

    @Override
    public void products(Int8Input x, int first, int n, float scale, float[] y, int yOffset, int yStride) {
        MemorySegment tables = x.tables(TABLES);
        int padded = Math.ceilDiv(rows, ROWS) * ROWS;
        int[] sums = x.ints(padded);
        short[] room = x.shorts(2 * 2 * LANES);
        for (int t = 0; t < n; t++) {
            long tablesAt = (first + t) * TABLES.bytes(x.columns());
            for (int block = 0; block < padded; block += ROWS) {
                for (int from = 0; from < twelves; from += FLUSH) {
                    int length = Math.min(FLUSH, twelves - from);
                    long at = ((long) block * twelves + (long) from * ROWS) * 3;
                    block(codes, at, tables, tablesAt + (long) from * GROUPS * GROUP_TABLES, length, room);
                    gather(room, length, sums, block, from == 0);
                }
            }
            NaiveKernels.scale(sums, rows, scale / x.scales()[first + t], y, yOffset + t * yStride);
        }
    }

    /** Even lanes are the first eight rows of a block, odd ones the others. */
    private static void gather(short[] room, int twelves, int[] sums, int at, boolean first) {
        int bias = BIAS * GROUPS * 17 * twelves;
        for (int part = 0; part < 2; part++) {
            for (int i = 0; i < 8; i++) {
                int low = room[16 * part + i] & 0xffff;
                int high = room[16 * part + 8 + i] & 0xffff;
                int sum = low + 16 * high - bias;
                sums[at + 8 * part + i] = first ? sum : sums[at + 8 * part + i] + sum;
            }
        }
    }

    // length: as in Lut16, loads are written out and vectors stay in one method
    /** 16 rows over some twelves; writes, for each eight rows, sums of lower and of upper halves. */
    private static void block(MemorySegment codes, long codesAt, MemorySegment tables, long tablesAt, int twelves,
            short[] room) {
        ShortVector lowAll0 = ShortVector.zero(SHORTS);
        ShortVector lowOdd0 = lowAll0;
        ShortVector highAll0 = lowAll0;
        ShortVector highOdd0 = lowAll0;
        long p = codesAt;
        long q = tablesAt;
        for (int twelve = 0; twelve < twelves; twelve++) {
            ByteVector low0 = ByteVector.zero(BYTES);
            ByteVector high0 = low0;
            for (int four = 0; four < 3; four++, p += ROWS, q += 2 * GROUP_TABLES) {
                ByteVector l0 = ByteVector.fromMemorySegment(BYTES, tables, q, ORDER);
                ByteVector h0 = ByteVector.fromMemorySegment(BYTES, tables, q + 16, ORDER);
                ByteVector l1 = ByteVector.fromMemorySegment(BYTES, tables, q + 32, ORDER);
                ByteVector h1 = ByteVector.fromMemorySegment(BYTES, tables, q + 48, ORDER);
                ByteVector c = ByteVector.fromMemorySegment(BYTES, codes, p, ORDER);
                ByteVector d = c.reinterpretAsInts().lanewise(VectorOperators.LSHR, 4).reinterpretAsBytes();
                low0 = low0.add(c.selectFrom(l0).add(d.selectFrom(l1)));
                high0 = high0.add(c.selectFrom(h0).add(d.selectFrom(h1)));
            }
            ShortVector w = low0.reinterpretAsShorts();
            lowAll0 = lowAll0.add(w);
            lowOdd0 = lowOdd0.add(w.reinterpretAsInts().lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts()
                    .and((short) 255));
            w = high0.reinterpretAsShorts();
            highAll0 = highAll0.add(w);
            highOdd0 = highOdd0.add(w.reinterpretAsInts().lanewise(VectorOperators.LSHR, 8).reinterpretAsShorts()
                    .and((short) 255));
        }
        // Even bytes: all, less the odd ones' share; in 16 bits that is exact although "all" has wrapped around.
        lowAll0.sub(lowOdd0.reinterpretAsInts().lanewise(VectorOperators.LSHL, 8).reinterpretAsShorts()
                .and((short) 0xff00)).intoArray(room, 0);
        highAll0.sub(highOdd0.reinterpretAsInts().lanewise(VectorOperators.LSHL, 8).reinterpretAsShorts()
                .and((short) 0xff00)).intoArray(room, 8);
        lowOdd0.intoArray(room, 16);
        highOdd0.intoArray(room, 24);
    }
    // length ends

    /** For each two inputs a table of nine sums of lower halves, and one of upper ones. */
    private static final class Tables implements Int8Input.Tables {
        private static final int INPUTS = 6; // of a window: three groups
        // Lanes 0 to 5 are the inputs, 6 to 11 the same, to be negated; the rest is cleared.
        private static final byte[] WINDOW = lanes(lane -> lane % INPUTS);
        private static final byte[] FLIP = lanes(lane -> lane < INPUTS || lane >= 2 * INPUTS ? 0 : -1);
        private static final byte[] ONE = lanes(lane -> lane < INPUTS || lane >= 2 * INPUTS ? 0 : 1);
        private static final byte[] KEEP = lanes(lane -> lane < 2 * INPUTS ? -1 : 0);
        private static final byte[][] PICKS = picks();

        private static byte[] lanes(IntUnaryOperator value) {
            byte[] lanes = new byte[LANES];
            for (int lane = 0; lane < LANES; lane++) {
                lanes[lane] = (byte) value.applyAsInt(lane);
            }
            return lanes;
        }

        /** For each input, the lane of the window that an entry takes: the input, its negative, or zero. */
        private static byte[][] picks() {
            byte[][] picks = new byte[INPUTS][];
            for (int input = 0; input < INPUTS; input++) {
                int plus = input;
                picks[input] = lanes(entry -> {
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
            ByteVector flip = ByteVector.fromArray(BYTES, FLIP, 0);
            ByteVector one = ByteVector.fromArray(BYTES, ONE, 0);
            ByteVector keep = ByteVector.fromArray(BYTES, KEEP, 0);
            // A load that nobody uses, see Lut16.
            ByteVector.fromMemorySegment(BYTES, tables, at, ORDER);
            long end = at + bytes(columns);
            long to = at;
            for (int from = offset; to < end; from += INPUTS) {
                ByteVector w = window.selectFrom(ByteVector.fromArray(BYTES, codes, from));
                // x = 16 hi + lo with lo in [-8, 7]: hi = (x >> 4) + bit 3 of x. Shifts of bytes compile badly.
                IntVector wide = w.reinterpretAsInts();
                ByteVector lo = w.add((byte) 8).and((byte) 15).sub((byte) 8);
                ByteVector hi = wide.lanewise(VectorOperators.LSHR, 4).reinterpretAsBytes().and((byte) 15)
                        .lanewise(VectorOperators.XOR, (byte) 8).sub((byte) 8)
                        .add(wide.lanewise(VectorOperators.LSHR, 3).reinterpretAsBytes().and((byte) 1));
                lo = lo.lanewise(VectorOperators.XOR, flip).add(one).and(keep);
                hi = hi.lanewise(VectorOperators.XOR, flip).add(one).and(keep);
                for (int input = 0; input < INPUTS; input += 2, to += GROUP_TABLES) {
                    ByteVector first = ByteVector.fromArray(BYTES, PICKS[input], 0);
                    ByteVector second = ByteVector.fromArray(BYTES, PICKS[input + 1], 0);
                    first.selectFrom(lo).add(second.selectFrom(lo)).add((byte) BIAS)
                            .intoMemorySegment(tables, to, ORDER);
                    first.selectFrom(hi).add(second.selectFrom(hi)).add((byte) BIAS)
                            .intoMemorySegment(tables, to + LANES, ORDER);
                }
            }
        }
    }
}
